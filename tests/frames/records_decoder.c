/* A decoder of records' frames, written from docs/frames.md alone; its tables are the page's own
 * (records.h, which the test makes of it). Argument: the folder of the languages' texts. One frame in
 * hex per line on stdin. Out: "head ORIGIN SEQUENCE KIND STAMP PRIORITY SCOPE LIFETIME TRUSTED KEY|-",
 * "field NUMBER TYPE VALUE", "body HEX", "behind HEX", "end"; or "bad". Signatures are not looked at. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT, TEXT, BYTES, CODES, REF, PARAMETERS };
typedef struct { int number, type; uint64_t most; int is_needed, is_language; } field;
typedef struct { int priority; uint64_t lifetime_s; int count; field fields[24]; } kind;

#include "records.h" /* KINDS, K, LANGUAGES, LANGUAGE_COUNT */

static jmp_buf bad;
static const uint8_t *in;
static int size, at;
static uint32_t span, code;
static char said[1 << 17];
static size_t said_size;

static void no_frame(void) { longjmp(bad, 1); }
static uint32_t next_byte(void) { uint32_t b = at < size ? in[at] : 0; at++; return b; }

static void say(const char *word) {
  size_t n = strlen(word);
  if (said_size + n >= sizeof said) no_frame();
  memcpy(said + said_size, word, n + 1);
  said_size += n;
}
static void say_number(uint64_t n) { char s[24]; snprintf(s, sizeof s, "%llu", (unsigned long long)n); say(s); }
static void say_hex(const uint8_t *data, int n) {
  char s[3];
  if (!n) say("-");
  for (int i = 0; i < n; i++) snprintf(s, sizeof s, "%02x", data[i]), say(s);
}

/* --- the range coder --- */

static int take(uint32_t share) {
  int bit = code < share;
  if (bit) span = share;
  else span -= share, code -= share;
  while (span < 1u << 24) span <<= 8, code = code << 8 | next_byte();
  return bit;
}

static uint64_t direct(int n) {
  uint64_t number = 0;
  while (n-- > 0) number = number << 1 | take(span >> 1);
  return number;
}

static int rare(void) { return take((span >> 12) * (8 * 256 >> 4)); }

static uint64_t gamma_(int w) {
  int n = direct(w);
  return n < 2 ? (uint64_t)n : (uint64_t)1 << (n - 1) | direct(n - 1);
}

static void bytes(uint8_t *to, uint64_t n) { for (uint64_t i = 0; i < n; i++) to[i] = direct(8); }

/* --- texts --- */

typedef struct {
  uint16_t one[6][65536];
  uint8_t met[6][65536];
  int64_t weight[256][6];
  uint32_t last, word, begun;
} model;

static model *known[LANGUAGE_COUNT], now;
static int64_t x[6], p;

static int64_t down(int64_t n, int places) { /* n >> places, rounded down */
  int64_t by = (int64_t)1 << places;
  return n >= 0 ? n / by : -((-n + by - 1) / by);
}

static int64_t squash(int64_t t) {
  int64_t a = t + 2048, k = a >> 7, r = a & 127;
  return (K[k] * (128 - r) + K[k + 1] * r + 64) >> 7;
}

static int64_t stretch(int c) {
  static int16_t table[4096];
  static int is_made;
  if (!is_made) {
    int64_t t = -2047;
    for (int n = 0; n < 4096; n++) {
      while (t < 2047 && squash(t) < n) t++;
      table[n] = t;
    }
    is_made = 1;
  }
  return table[c];
}

static int64_t clamp(int64_t n, int64_t least, int64_t most) { return n < least ? least : n > most ? most : n; }

static uint32_t slot(int i) {
  uint32_t h = (uint32_t)i * 0x9E3779B1u;
  if (i == 0) return now.begun;
  if (i < 5) for (int b = i - 1; b >= 0; b--) h = (h ^ (now.last >> 8 * b & 255)) * 0x01000193u;
  else h = now.word * 0x9E3779B1u + 32;
  return ((h + now.begun * 0x9E3779B1u) * 0x01000193u >> 12) & 0xFFFF;
}

static void expect(void) {
  int64_t sum = 0;
  for (int i = 0; i < 6; i++) {
    x[i] = stretch(now.one[i][slot(i)] >> 4);
    sum += x[i] * now.weight[now.begun][i];
  }
  p = clamp(squash(clamp(down(sum, 16), -2047, 2047)), 1, 4095);
}

static void trust(int bit) {
  int64_t e = (bit * 4096 - p) * 6;
  for (int i = 0; i < 6; i++) now.weight[now.begun][i] += down(x[i] * e + 8192, 14);
}

static void see(int bit) {
  for (int i = 0; i < 6; i++) {
    uint32_t s = slot(i);
    int met = now.met[i][s];
    now.one[i][s] += down((65535 * bit - (int64_t)now.one[i][s]) * (131072 / (2 * met + 3)), 16);
    if (met < 22) now.met[i][s]++;
  }
}

static void next(int bit) {
  now.begun = now.begun * 2 + bit;
  if (now.begun > 255) {
    uint32_t byte = now.begun - 256;
    now.begun = 1;
    now.last = now.last * 256 + byte;
    now.word = byte > 64 ? now.word * 271 + byte + 1 : 0;
  }
}

static void begin(void) { now.last = now.word = 0, now.begun = 1; }

static void learn(const char *folder, int language) {
  static uint8_t data[1 << 16];
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.txt", folder, LANGUAGES[language]);
  FILE *file = fopen(path, "rb");
  if (!file) { perror(path); exit(2); }
  int n = fread(data, 1, sizeof data, file);
  fclose(file);
  memset(&now, 0, sizeof now);
  for (int i = 0; i < 6; i++) for (int s = 0; s < 65536; s++) now.one[i][s] = 32768;
  for (int b = 0; b < 256; b++) for (int i = 0; i < 6; i++) now.weight[b][i] = 21845;
  begin();
  for (int k = 0; k < n; k++)
    for (int place = 7; place >= 0; place--) {
      int bit = (data[k] == '\n' ? 0 : data[k]) >> place & 1;
      if (k >= n - n / 8) expect(), trust(bit);
      see(bit), next(bit);
    }
  known[language] = malloc(sizeof now);
  memcpy(known[language], &now, sizeof now);
}

static int is_utf8(const uint8_t *s, int n) {
  for (int i = 0; i < n;) {
    int more = s[i] < 0x80 ? 0 : s[i] >= 0xC2 && s[i] < 0xE0 ? 1 : (s[i] & 0xF0) == 0xE0 ? 2 :
               s[i] >= 0xF0 && s[i] < 0xF5 ? 3 : -1;
    if (more < 0 || i + more >= n) return 0;
    for (int k = 1; k <= more; k++) if ((s[i + k] & 0xC0) != 0x80) return 0;
    if ((s[i] == 0xE0 && s[i + 1] < 0xA0) || (s[i] == 0xED && s[i + 1] > 0x9F)) return 0;
    if ((s[i] == 0xF0 && s[i + 1] < 0x90) || (s[i] == 0xF4 && s[i + 1] > 0x8F)) return 0;
    i += more + 1;
  }
  return 1;
}

static uint8_t letters[1501];
static int text(int language) { /* how many bytes there are in letters */
  memcpy(&now, known[language], sizeof now);
  begin();
  for (int n = 0; n <= 1500; n++) {
    for (int k = 0; k < 8; k++) {
      expect();
      int bit = take((span >> 12) * (uint32_t)p);
      trust(bit), see(bit), next(bit);
    }
    letters[n] = now.last & 255;
    if (!letters[n]) {
      if (!is_utf8(letters, n)) no_frame();
      return n;
    }
  }
  no_frame();
  return 0;
}

static int language_of(int n) { /* of a text that names one */
  int until = 0;
  while (until < n && letters[until] != '_') until++;
  for (int l = 0; l < LANGUAGE_COUNT; l++)
    if ((int)strlen(LANGUAGES[l]) == until && !memcmp(LANGUAGES[l], letters, until)) return l;
  return 0;
}

/* --- records --- */

static const char *const NAMES[] = {"place", "until", "from", "at", "what", "number", "phone"};

static void ref(void) {
  uint8_t origin[4];
  bytes(origin, 4);
  say_hex(origin, 4);
  uint64_t sequence = gamma_(6);
  if (sequence > (uint64_t)1 << 53) no_frame();
  say(" "), say_number(sequence);
}

static int one_field(const field *f, uint64_t stamp, int *language) { /* 0: it is empty */
  static uint8_t data[4096];
  static const char *const TYPES[] = {" count ", " text ", " bytes ", " codes ", " ref ", " parameters "};
  size_t before = said_size;
  uint64_t n = 0, total = 0;
  say("field "), say_number(f->number), say(TYPES[f->type]);
  switch (f->type) {
  case COUNT:
    if (f->most >= (uint64_t)1 << 40) {
      uint64_t base = f->most >> 63 ? stamp : f->most >> 45 ? stamp >> 16 : (stamp >> 16) / 1000;
      int is_later = direct(1);
      uint64_t apart = gamma_(6);
      if (!is_later && apart > base) no_frame();
      n = is_later ? base + apart : base - apart;
    } else if (f->most <= 255) {
      int width = 0;
      while (f->most >> width) width++;
      n = direct(width);
    } else n = gamma_(6);
    if (n > f->most) no_frame();
    say_number(n), say("\n");
    return 1;
  case TEXT:
    if (f->is_language && !direct(1)) {
      *language = direct(4);
      if (*language >= LANGUAGE_COUNT) no_frame();
      n = strlen(LANGUAGES[*language]);
      memcpy(letters, LANGUAGES[*language], n);
    } else {
      n = text(f->is_language ? 0 : *language);
      if (f->is_language) *language = language_of(n);
    }
    if (n > f->most) no_frame();
    say_hex(letters, n);
    break;
  case BYTES:
    n = direct(1) ? gamma_(5) : f->most;
    if (n > 2000) no_frame();
    bytes(data, n);
    if (n > f->most) no_frame();
    say_hex(data, n);
    break;
  case CODES:
    n = gamma_(4);
    for (uint64_t k = 0; k < n; k++) {
      uint64_t number = direct(8);
      if (k < 4096) data[k] = number;
    }
    if (n > f->most) no_frame();
    say_hex(data, n);
    break;
  case REF:
    ref();
    n = 1;
    break;
  case PARAMETERS:
    for (int k = 0; k < 7; k++) {
      if (!direct(1)) continue;
      int length = text(*language);
      if (length > 120) no_frame();
      if (n++) say(",");
      say(NAMES[k]), say(":"), say_hex(letters, length);
      total += length;
    }
    if (total > f->most) no_frame();
  }
  say("\n");
  if (!n) said_size = before, said[before] = 0;
  return n != 0;
}

static void record(const uint8_t *frame, int length) {
  int kind_of_frame = frame[0] & 31, behind = kind_of_frame == 12 ? 128 : 64;
  if (frame[0] >> 5 != 1 || length <= 1 + behind) no_frame();
  if (kind_of_frame != 3 && kind_of_frame != 4 && kind_of_frame != 12) no_frame();
  in = frame + 1, size = length - 1 - behind, at = 0, span = 0xFFFFFFFFu, code = 0;
  for (int k = 0; k < 4; k++) code = code << 8 | next_byte();
  if (code == 0xFFFFFFFFu) no_frame();

  uint8_t origin[4], key[4];
  static uint8_t body[2000];
  bytes(origin, 4);
  uint64_t sequence = gamma_(6);
  int number = direct(6);
  if (number >= (int)(sizeof KINDS / sizeof *KINDS) || !KINDS[number].count) no_frame();
  const kind *k = &KINDS[number];
  uint64_t ms = rare() ? direct(47) : direct(42) + 1735689600000u;
  uint64_t counter = rare() ? gamma_(5) : 0;
  if (counter > 65535) no_frame();
  uint64_t stamp = ms << 16 | counter;
  int priority = rare() ? (int)direct(3) : k->priority, scope = direct(1) + 1;
  uint64_t lifetime = k->lifetime_s;
  if (direct(1)) {
    int is_odd = direct(1);
    lifetime = gamma_(5) * (is_odd ? 1 : 60);
  }
  int is_trusted = !rare();
  if (kind_of_frame != 4) bytes(key, 4);
  say("head "), say_hex(origin, 4), say(" "), say_number(sequence), say(" "), say_number(number);
  say(" "), say_number(stamp), say(" "), say_number(priority), say(" "), say_number(scope), say(" ");
  say_number(lifetime), say(is_trusted ? " 1 " : " 0 "), say_hex(key, kind_of_frame == 4 ? 0 : 4), say("\n");
  if (rare()) {
    uint64_t n = gamma_(5);
    if (n > sizeof body) no_frame();
    bytes(body, n);
    say("body "), say_hex(body, n), say("\n");
  } else {
    int language = 0;
    for (int f = 0; f < k->count; f++) {
      const field *one = &k->fields[f];
      if (!one->is_needed && !direct(1)) continue;
      if (!one_field(one, stamp, &language) && one->is_needed) no_frame();
    }
  }
  if (at < size || (size && !in[size - 1])) no_frame();
  say("behind "), say_hex(frame + length - behind, behind), say("\nend\n");
}

int main(int count, char **arguments) {
  static char line[1 << 15];
  static uint8_t frame[1 << 14];
  if (count != 2) return 2;
  for (int l = 0; l < LANGUAGE_COUNT; l++) learn(arguments[1], l);
  while (fgets(line, sizeof line, stdin)) {
    int length = 0;
    unsigned byte;
    for (char *c = line; sscanf(c, "%2x", &byte) == 1 && c[0] > ' '; c += 2) frame[length++] = byte;
    said_size = 0;
    if (length == 0 || setjmp(bad)) { puts("bad"); continue; }
    record(frame, length);
    fputs(said, stdout);
  }
  for (int l = 0; l < LANGUAGE_COUNT; l++) free(known[l]);
  return 0;
}
