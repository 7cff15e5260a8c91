"""Turkish. Not yet checked by a native speaker."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT: dict[str, Any] = {
    "exercise_banner": "TATBİKAT · ÜBUNG",
    "exercise_mark": "Gerçek acil durum değil",
    "causes": {
        "grid_lost": (
            "Elektrik kesintisi",
            "Bu cihazda elektrik kesildi. Yalnızca bu binada mı, bütün bölgede mi, bilmiyor.",
        ),
        "operator": ("Acil durum modu", "Bu cihazın işletmecisi acil durum modunu açtı."),
        "remote_order": ("Acil durum modu", "Acil durum modu dışarıdan verilen emirle açıldı."),
        "official_warning": ("Resmî uyarı", "Bu yer için resmî bir uyarı var."),
        "uplink_lost": ("İnternet yok", "Bu cihazın dışarıyla bağlantısı kesildi."),
        "sensor_threshold": (
            "Ölçüm çok yüksek",
            "Bu cihazın bir ölçümü alarm sınırının üzerinde.",
        ),
    },
    "modes": {
        "emergency": ("Acil durum modu", "Bu cihaz acil durum modunda."),
        "normal": ("Olağan bir gün", "Bu cihaz acil durum bildirmiyor."),
        "exercise": (
            "Tatbikat",
            "Bir şey olmadı. Bu cihaz acil durumu prova ediyor. Elektrik kesilince bu sayfa buna"
            " benzer.",
        ),
        "maintenance": ("Bakım", "Bu cihazda çalışma var. Acil durum bildirmiyor."),
        "saving": ("Cihaz tasarrufta", "Bu cihaz acil durum bildirmiyor."),
        "dark": ("Cihazın pili bitiyor", "Bu cihaz acil durum bildirmiyor."),
        "unknown": ("Durum bilinmiyor", "Bu cihaz şu anda durumu bilmiyor."),
    },
    "unsure": "Acil durum bildirilmedi",
    "last_known": "Son bilinen: {headline}",
    "saving": (
        "Bu cihazın pili zayıf.",
        "Tasarruf yapıyor. Buradan gerekenleri not edin.",
    ),
    "dark": (
        "Bu cihazın pili neredeyse boş.",
        "Birazdan kapanacak. Buradan gerekenleri not edin.",
    ),
    "since": "başlangıç: {when}",
    "returning": ("Elektrik geri geldi", "Yeniden kesilebilir. Cihaz bekliyor."),
    "promise": "Elektrik kesilirse burada ne olduğu ve ilk ne yapabileceğiniz yazar.",
    "grid": {
        "present": "Şebeke elektriği var.",
        "bridging": "Elektrik şu an yok. Cihaz geri gelmesini biraz bekliyor.",
        "lost": "Bu cihazda şebeke elektriği kesildi.",
        "unknown": "Cihaz şu anda elektrik var mı, bilmiyor.",
    },
    "not_sensed": "Bu cihaz elektrik var mı, kendisi anlayamaz. Acil durum modunu"
    " işletmecisi açar.",
    "silent": (
        "Bu artık doğru olmayabilir.",
        "Bu cihazın ölçüm servisi çalışmıyor. Son bilgi: {when} ({age}).",
    ),
    "silent_for_ever": (
        "Bu cihazın ölçüm servisi çalışmıyor.",
        "Daha önceki bir durum bilinmiyor.",
    ),
    "clock": "Bu cihazın saati ayarlı değil: saatler yanlış olabilir.",
    "lasts": "Bu cihazın pili tahminen {band} daha yeter.",
    "lasts_unknown": "Bu cihazın ne kadar daha çalışacağı bilinmiyor.",
    "band": "{low}–{high}",
    "band_from": "en az {low}",
    "band_to": "en çok {high}",
    "band_about": "yaklaşık {high}",
    "band_soon": "bir saatten az",
    "charge": "Pil: %{low}–{high} dolu.",
    "first": "Önce",
    "first_always": [
        (
            "Hayati tehlike: 112’yi arayın.",
            "Telefonlar çalışmıyorsa: en yakın itfaiyeye, polise ya da hastaneye birini gönderin.",
        ),
    ],
    "first_grid_lost": [
        (
            "Ocağı, ütüyü, ısıtıcıyı kapatın.",
            "Yoksa elektrik gelince yangın çıkabilir.",
        ),
        (
            "İçeride asla mangal yakmayın, jeneratör çalıştırmayın.",
            "Gazı öldürür. Kokusu alınmaz.",
        ),
        (
            "Komşuların kapısını çalın.",
            "Kim yaşlı, hasta ya da yalnız? Kime tıbbi cihaz için elektrik lazım?",
        ),
        ("Telefonun pilini koruyun.", "Azaldıysa: uçak modu açık, sonra yalnızca Wi-Fi açık."),
        ("Radyo dinleyin,", "pilli, kollu ya da arabada."),
    ],
    "first_other": [
        ("Duyuruları izleyin:", "radyo, hoparlörlü araçlar, uyarı uygulaması."),
        ("Komşuların kapısını çalın.", "Kim yaşlı, hasta ya da yalnız?"),
    ],
    "bulletins": "Duyurular",
    "bulletin_mark": "bu cihazın işletmecisinden, doğrulanmamış",
    "bulletins_more": "Bütün duyurular ({count})",
    "bulletins_below": "Duyurular: {count}",
    "bulletins_none": "Duyuru yok.",
    "bulletins_unreadable": "Bu cihaz duyuruları şu anda okuyamıyor.",
    "back": "İlk sayfaya dön",
    "readings": "Bu cihazda ölçülen",
    "readings_none": "Bu cihazda şu anda ölçüm yok.",
    "readings_more": "ve {count} ölçüm daha",
    "suspect": "şüpheli: {value}",
    "unusable": "kullanılamaz",
    "quantities": {
        "temperature_c": ("Sıcaklık", "°C", 1),
        "humidity_percent": ("Nem", "%", 0),
        "pressure_hpa": ("Hava basıncı", "hPa", 1),
        "pm2_5_ug_m3": ("İnce toz PM2.5", "µg/m³", 1),
        "pm10_ug_m3": ("İnce toz PM10", "µg/m³", 1),
    },
    "measured": "{value}\u00a0{unit}",
    "decimal": ",",
    "faults": "Bu cihazdaki arızalar: {count}.",
    "weekdays": ("Pazartesi", "Salı", "Çarşamba", "Perşembe", "Cuma", "Cumartesi", "Pazar"),
    "clock_time": "{hour:02}:{minute:02}",
    "on_weekday": "{weekday} {time}",
    "on_date": "{day}.{month}.{year} {time}",
    "ago": "{duration} önce",
    "just_now": "az önce",
    "age_unknown": "zamanı belirsiz",
    "minutes": ("{count} dakika",),
    "hours": ("{count} saat",),
    "days": ("{count} gün",),
    "days_left": ("{count} gün",),
    "as_of": "Saat: {when}",
    "reload": "Yenile",
    "about": "Kiezbox mahallenindir. Olağan günlerde ölçer; elektrik ve internet kesilince bilgi"
    " verir.",
    "never_ask": "Asla şifre veya para istemeyiz.",
    "data": "Veriler",
    "stay": ("Telefonunuz bu Wi-Fi’da kalsın:", "Bağlı kal"),
    "slice": "Bu Wi-Fi tasarruf yapıyor: {when} saatine kadar açık, sonra aralıklarla yeniden.",
    "again": "Uzaktaydınız: lütfen bir kez daha dokunun. Yoksa telefon bu Wi-Fi’dan ayrılır.",
    "whole_page": "Hepsini oku",
    "info_link": "Acil çağrı, yardım, buraya dönüş",
    "connected": (
        "Bağlısınız",
        "Telefonunuz bu Wi-Fi’da kalıyor. Burada internet yok, ama bu sayfa var.",
    ),
    "close_ios": ("iPhone, iPad:", "sağ üstte “Bitti”ye dokunun."),
    "close_ios_word": "Bitti",
    "close_android": ("Android:", "sağ üstteki üç noktaya, sonra şuna dokunun:"),
    "close_android_word": "Bu ağı olduğu gibi kullan",
    "close_ask": "Telefon internetsiz bağlı kalınsın mı diye sorarsa: evet.",
    "leave": ("Telefon yeniden sorsun mu?", "Artık bağlı kalma"),
    "come_back": "Buraya nasıl dönersiniz",
    "come_back_how": "“{ssid}” Wi-Fi ağına bağlanın. Bir şey açılmazsa tarayıcıya yazın",
    "come_back_how_bare": "Tarayıcıya yazın",
    "or": "veya",
    "qr_page": "Bu sayfa",
    "qr_wlan": "Komşular için: bu Wi-Fi",
    "info": "Acil çağrı ve yardım",
    "numbers": [("112", "itfaiye, ambulans"), ("110", "polis (Almanya)")],
    "numbers_how": "Çekmese de deneyin: acil çağrı için telefon bulduğu her şebekeyi kullanır. Önce"
    " uçak modunu kapatın.",
    "help": "Hiçbir telefon çalışmıyorsa",
    "help_where": [
        "En yakın itfaiyeye ya da polise gidin veya birini gönderin.",
        "Açılırsa resmî yardım noktalarına gidin: tabelalara, duyurulara, radyoya dikkat edin.",
        "Sokakta birinden yardım isteyin.",
    ],
}  # fmt: skip
