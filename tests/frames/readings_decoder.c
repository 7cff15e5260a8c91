/* A decoder of frames of readings, written from docs/frames.md alone; its tables are the page's own
 * (tables.h, which the test makes of it). One frame in hex per line on stdin; the seal is not looked at.
 * Out: "head ORIGIN BOOT|- UNSURE", "name SLOT NAME", "value SLOT CODE COUNTER|- AT_MS VALUE FLAG",
 * "end"; or "bad". */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h" /* INTERVALS, USUAL_STEPS, SETS, FIELDS, LEVELS */

enum { STEPS = 64, SERIES = 32 };

typedef struct { uint32_t one, uses; } chance;
typedef struct { chance of[32][6]; } chances;

static jmp_buf bad;
static const uint8_t *in;
static int size, at;
static uint32_t span, code;

static void no_frame(void) { longjmp(bad, 1); }
static uint32_t next(void) { uint32_t b = at < size ? in[at] : 0; at++; return b; }

static int take(uint32_t share) {
  int bit = code < share;
  if (bit) span = share;
  else span -= share, code -= share;
  while (span < 1u << 24) span <<= 8, code = code << 8 | next();
  return bit;
}

static uint64_t direct(int n) {
  uint64_t number = 0;
  while (n-- > 0) number = number << 1 | take(span >> 1);
  return number;
}

static chance begin(uint32_t c) { chance new = {c * 256, 12}; return new; }
static chance quick(uint32_t c, uint32_t uses) { chance new = {c * 256, uses}; return new; }

static int bit(chance *c) {
  uint32_t p = c->one >> 4;
  if (p < 32) p = 32;
  if (p > 4064) p = 4064;
  int b = take((span >> 12) * p);
  if (b) c->one += (65536 - c->one) / c->uses;
  else c->one -= c->one / c->uses;
  if (c->uses < 40) c->uses++;
  return b;
}

static int once(uint32_t c) { chance fresh = begin(c); return bit(&fresh); }

static uint64_t gamma_(int w) {
  int n = direct(w);
  return n < 2 ? (uint64_t)n : (uint64_t)1 << (n - 1) | direct(n - 1);
}

static void clear(chances *c) {
  for (int l = 0; l < 32; l++)
    for (int k = 0; k < 6; k++) c->of[l][k] = begin(LEVELS[l][k]);
}

static int64_t difference(chances *c, int64_t spread) {
  int64_t s = spread >> 4;
  int level = 0;
  if (s >= 2) {
    int p = 0;
    while (s >> (p + 1)) p++;
    level = 2 * p - 1 + (s >> (p - 1) & 1);
    if (level > 31) level = 31;
  }
  chance *of = c->of[level];
  if (!bit(&of[0])) return 0;
  int negative = direct(1), w = level > 7 ? (level - 7) >> 1 : 0;
  int64_t run = 0, rest = 0;
  while (run < 12 && bit(&of[1 + (run < 3 ? run : 3)])) run++;
  if (run == 12) run += gamma_(5);
  if (w > 0) {
    rest = (int64_t)bit(&of[5]) << (w - 1);
    rest |= direct(w - 1);
  }
  int64_t number = (run << w | rest) + 1;
  return negative ? -number : number;
}

static int64_t floor_half_power(int64_t x, int n) { /* x >> n, rounded down */
  return x >= 0 ? x >> n : -((-x + ((int64_t)1 << n) - 1) >> n);
}

typedef struct {
  int slot, code, is_there[STEPS], flag[STEPS];
  int64_t counter[STEPS], number[STEPS], off[STEPS];
  int first;
} series;

static series all[SERIES];

static int flag_of(chance pair[2]) { return bit(&pair[0]) ? 0 : bit(&pair[1]) ? 2 : 1; }

static void frame(void) {
  static char names[SERIES][40];
  int count = 0, is_means, is_fine, is_unsure, phase = 0;
  memset(all, 0, sizeof all);
  memset(names, 0, sizeof names);
  span = 0xFFFFFFFF, code = 0;
  for (int n = 0; n < 4; n++) code = code << 8 | next();
  if (code == 0xFFFFFFFF) no_frame();

  is_means = once(128), is_fine = once(16), is_unsure = once(16);
  int64_t interval;
  int steps = 0, usual = 0, index = is_means ? 5 : 2;
  if (!once(160)) {
    int other = direct(4);
    if (other == index) no_frame();
    index = other;
  }
  if (index == 15) {
    interval = direct(17);
    if (!interval) no_frame();
    for (int n = 0; n < 15; n++) if (INTERVALS[n] == interval) no_frame();
  } else interval = INTERVALS[index], usual = USUAL_STEPS[index];
  if (once(160)) steps = usual;
  else {
    static const int some[] = {6, 12, 24, 30, 36, 48, 60};
    int n = direct(3);
    steps = n < 7 ? some[n] : (int)direct(6) + 1;
  }
  int64_t highest = (((int64_t)1 << (is_unsure ? 32 : 30)) - 1) / interval;
  int bits = 0;
  while (highest >> bits) bits++;
  int64_t base = direct(bits);
  if (!steps || base > highest) no_frame();
  if (once(32)) phase = direct(6);

  chance following = begin(224), more = begin(200);
  int expected = 0, slots[SERIES], sensors = 0;
  do {
    int slot = expected;
    if (!bit(&following)) {
      slot = direct(5);
      if (slot <= expected) no_frame();
    }
    if (slot > 31) no_frame();
    uint32_t mask = 0;
    int set = direct(3);
    if (set == 7) set = 7 + direct(4);
    if (set == 22) {
      mask = direct(32);
      if (!mask) no_frame();
      for (int n = 0; n < SETS_COUNT; n++) if (SETS[n] == mask) no_frame();
    } else if (set < SETS_COUNT) mask = SETS[set];
    else no_frame();
    for (int c = 1; c <= 32; c++)
      if (mask >> (c - 1) & 1) {
        if (c >= FIELDS_COUNT || !FIELDS[c].under || count == SERIES) no_frame();
        all[count].slot = slot, all[count].code = c, count++;
      }
    slots[sensors++] = slot;
    expected = slot + 1;
  } while (bit(&more));

  if (once(24)) {
    int any = 0;
    for (int s = 0; s < sensors; s++) {
      int length = direct(5);
      for (int n = 0; n < length; n++) {
        int letter = direct(6);
        if (letter > 36) no_frame();
        names[slots[s]][n] = "abcdefghijklmnopqrstuvwxyz0123456789_"[letter];
        any = 1;
      }
      if (length && (names[slots[s]][0] < 'a' || names[slots[s]][0] > 'z')) no_frame();
    }
    if (!any) no_frame();
  }

  chance whole = begin(240), rhythm = begin(100), after[2] = {begin(60), begin(235)};
  for (int i = 0; i < count; i++) {
    int every = 1, first = 0, there = 1, any = 0;
    all[i].first = -1;
    if (bit(&whole)) {
      for (int k = 0; k < steps; k++) all[i].is_there[k] = 1;
      all[i].first = 0;
      continue;
    }
    if (bit(&rhythm)) {
      every = direct(6) + 1, first = direct(6);
      if (every == 1 || first >= every) no_frame();
    }
    for (int k = first; k < steps; k += every) {
      there = all[i].is_there[k] = bit(&after[there]);
      if (there && all[i].first < 0) all[i].first = k;
      any |= there;
    }
    if (!any) no_frame();
  }

  int64_t boot = 0;
  if (!is_means) {
    int64_t age = 0, stride, line = 0;
    static chances lines, bends;
    chance like = begin(224);
    clear(&lines), clear(&bends);
    if (once(240)) age = gamma_(5), boot = base * interval / 10 - age;
    else boot = direct(27);
    if (boot < 0 || boot >> 27) no_frame();
    stride = gamma_(5);
    line = age * 10 * stride / interval;
    for (int i = 0; i < count; i++) {
      int64_t first;
      if (i == 0) {
        int less = direct(1);
        int64_t off = gamma_(6);
        if (less && !off) no_frame();
        first = less ? line - off : line + off;
      } else first = line + difference(&lines, 128);
      line = first + 1;
      int k0 = all[i].first, last = k0;
      int64_t before[STEPS], off = 0;
      for (int k = 0; k < STEPS; k++) before[k] = i ? all[i - 1].off[k] : 0;
      int is_like = bit(&like);
      for (int k = 0; k < steps; k++) {
        if (all[i].is_there[k]) {
          if (is_like) off = before[k] - before[k0];
          else if (k > k0) off += before[k] - before[last] + difference(&bends, 64);
          last = k;
          all[i].counter[k] = first + k * stride + off;
          if (all[i].counter[k] < 0 || all[i].counter[k] >> 36) no_frame();
        }
        all[i].off[k] = off;
      }
    }
  }

  chance same = quick(232, 4), states[4][2], pairs[3][3][2];
  static const int of_state[4][2] = {{230, 40}, {128, 40}, {128, 200}, {160, 60}};
  static const int of_larger[3][2] = {{240, 40}, {50, 20}, {50, 220}};
  for (int n = 0; n < 4; n++)
    for (int k = 0; k < 2; k++) states[n][k] = quick(of_state[n][k], 5);
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++)
      for (int k = 0; k < 2; k++) pairs[a][b][k] = quick(of_larger[a > b ? a : b][k], 5);
  for (int i = 0, state = 0; i < count; i++) {
    if (bit(&same)) {
      state = flag_of(states[state]);
      for (int k = 0; k < steps; k++) if (all[i].is_there[k]) all[i].flag[k] = state;
      continue;
    }
    int is_beside = i && state == 3 && all[i - 1].slot == all[i].slot, flag = 0, seen = 0;
    for (int k = 0; k < steps; k++)
      if (all[i].is_there[k]) {
        int beside = is_beside ? all[i - 1].flag[k] : flag;
        flag = all[i].flag[k] = flag_of(pairs[flag][beside]);
        seen |= 1 << flag;
      }
    if (!(seen & (seen - 1))) no_frame();
    state = 3;
  }

  for (int i = 0; i < count; i++) {
    const field *f = &FIELDS[all[i].code];
    static chances set;
    int64_t fine = is_fine ? f->fineness : 1, grain = 1;
    clear(&set);
    int64_t first = f->usual[is_fine] + difference(&set, f->spread * fine);
    if (once(is_means ? 8 : 48)) {
      grain = once(150) ? 2 : (int64_t)direct(4) + 1;
      if (grain == 1) no_frame();
    }
    int64_t calm = interval <= 120 ? f->calm : f->calm_ten * (interval < 3600 ? 1 : 2);
    int64_t s = calm * fine / grain, weight = 3, last = 0, mean = 0, off_last = 0, off_mean = 0;
    clear(&set);
    for (int k = 0; k < steps; k++) {
      if (!all[i].is_there[k]) continue;
      if (k == all[i].first) all[i].number[k] = first;
      else {
        int64_t m = floor_half_power(mean + 128, 8);
        int64_t guess = off_mean < off_last ? m : last;
        int64_t d = difference(&set, s), y = guess + d;
        off_last += llabs(y - last) * 16 - (off_last >> 4);
        off_mean += llabs(y - m) * 16 - (off_mean >> 4);
        mean += floor_half_power((y * 256 - mean) * 3, 3);
        last = y;
        if (weight < 12) weight++;
        s += (llabs(d) * 256 - s) / weight;
        all[i].number[k] = first + grain * y;
      }
      if (all[i].number[k] < 0 || all[i].number[k] > f->highest[is_fine]) no_frame();
    }
  }
  if (at < size || (size && !in[size - 1])) no_frame();

  if (is_means) printf(" - %d\n", is_unsure);
  else printf(" %lld %d\n", (long long)boot, is_unsure);
  for (int s = 0; s < SERIES; s++) if (names[s][0]) printf("name %d %s\n", s, names[s]);
  for (int i = 0; i < count; i++) {
    const field *f = &FIELDS[all[i].code];
    int64_t mantissa = f->mantissa && is_fine ? 1024 : f->mantissa;
    for (int k = 0; k < steps; k++) {
      if (!all[i].is_there[k]) continue;
      int64_t n = all[i].number[k];
      if (mantissa && n >= mantissa) {
        int64_t e = n * 2 / mantissa - 1;
        n = (n - e * mantissa / 2) << e;
      }
      double value = f->least + (double)n * f->over / f->under / (is_fine ? f->fineness : 1);
      int64_t at_ms = ((is_unsure ? 0 : 1735689600) + (base + k) * interval) * 1000;
      at_ms += phase * interval * 1000 / 64;
      printf("value %d %d ", all[i].slot, all[i].code);
      if (is_means) printf("- ");
      else printf("%lld ", (long long)all[i].counter[k]);
      printf("%lld %.9g %d\n", (long long)at_ms, value, all[i].flag[k]);
    }
  }
}

int main(void) {
  static char line[8192];
  static uint8_t bytes[4096];
  while (fgets(line, sizeof line, stdin)) {
    int length = 0;
    unsigned byte;
    for (char *p = line; sscanf(p, "%2x", &byte) == 1 && p[0] > ' '; p += 2) bytes[length++] = byte;
    if (length < 13 || bytes[0] != 0x22) { puts("bad"); continue; }
    in = bytes + 5, size = length - 13, at = 0;
    if (setjmp(bad)) { puts("bad"); continue; }
    printf("head %02x%02x%02x%02x", bytes[1], bytes[2], bytes[3], bytes[4]);
    frame();
    puts("end");
  }
  return 0;
}
