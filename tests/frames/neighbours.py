"""What somebody writes to the neighbours, in every language of the portal: 280 graphemes of each.

Written for this measurement by nobody who chose what texts are learnt from, and after that: the
same message, as one would say it in that language. Machine translations, not read by a native
speaker; that makes no difference to how long they are on the air.
"""

from __future__ import annotations

import unicodedata

SAID = {
    "de": (
        "Der Lebensmittelladen an der Ecke bleibt heute bis zwanzig Uhr offen, dort gibt es noch"
        " Brot, Milch und Batterien. Wer nicht gut zu Fuß ist, kann im Erdgeschoss links klopfen,"
        " wir gehen dann mit. Bitte fragt auch bei den Nachbarn im Seitenflügel nach, ob sie alles"
        " haben, was sie brauchen."
    ),
    "en": (
        "The grocery on the corner stays open until eight tonight, they still have bread, milk and"
        " batteries. If you do not walk well, knock on the left door on the ground floor and we"
        " will come along. Please also ask the neighbours in the side wing whether they have all"
        " they need, and bring a torch for the stairs."
    ),
    "tr": (
        "Köşedeki bakkal bu akşam saat yirmiye kadar açık, hâlâ ekmek, süt ve pil var. Yürümekte"
        " zorlananlar zemin katta soldaki kapıyı çalabilir, biz de birlikte gideriz. Lütfen yan"
        " binadaki komşulara da ihtiyaçları olan her şeye sahip olup olmadıklarını sorun, merdiven"
        " için de bir fener getirin, ışıklar yanmıyor."
    ),
    "ar": (
        "تبقى البقالة في الزاوية مفتوحة حتى الثامنة مساء اليوم، وما زال لديها خبز وحليب وبطاريات."
        " من يصعب عليه المشي يمكنه أن يطرق الباب الأيسر في الطابق الأرضي وسنذهب معه. من فضلكم"
        " اسألوا أيضا الجيران في الجناح الجانبي إن كان لديهم كل ما يحتاجون إليه، وأحضروا مصباحا"
        " للدرج لأن الضوء لا يعمل منذ الصباح في المبنى كله."
    ),
    "uk": (
        "Крамниця на розі сьогодні відчинена до двадцятої години, там ще є хліб, молоко й"
        " батарейки. Кому важко ходити, постукайте в ліві двері на першому поверсі, ми підемо"
        " разом. Будь ласка, запитайте також сусідів у боковому крилі, чи мають вони все потрібне,"
        " і візьміть ліхтарик, бо на сходах немає світла."
    ),
    "ru": (
        "Магазин на углу сегодня открыт до двадцати часов, там ещё есть хлеб, молоко и батарейки."
        " Кому трудно ходить, постучите в левую дверь на первом этаже, мы пойдём вместе."
        " Пожалуйста, спросите и соседей в боковом крыле, есть ли у них всё необходимое, и"
        " захватите фонарик, потому что на лестнице нет света."
    ),
    "pl": (
        "Sklep spożywczy na rogu jest dziś otwarty do dwudziestej, jest tam jeszcze chleb, mleko i"
        " baterie. Komu trudno chodzić, niech zapuka do lewych drzwi na parterze, pójdziemy razem."
        " Zapytajcie też proszę sąsiadów w oficynie, czy mają wszystko, czego potrzebują, i weźcie"
        " latarkę, bo na schodach nie ma światła."
    ),
    "vi": (
        "Cửa hàng thực phẩm ở góc phố hôm nay mở đến tám giờ tối, ở đó vẫn còn bánh mì, sữa và pin."
        " Ai đi lại khó khăn thì gõ cửa bên trái ở tầng trệt, chúng tôi sẽ đi cùng. Xin hãy hỏi cả"
        " hàng xóm ở dãy nhà bên xem họ có đủ những thứ cần thiết không, và mang theo đèn pin vì"
        " cầu thang không có ánh sáng."
    ),
    "fa": (
        "مغازه خواربارفروشی سر کوچه امروز تا ساعت هشت شب باز است و هنوز نان، شیر و باتری دارد. هر"
        " کس به سختی راه می‌رود می‌تواند در طبقه همکف در سمت چپ را بزند تا با هم برویم. لطفا از"
        " همسایه‌های ساختمان کناری هم بپرسید آیا هر چه لازم دارند دارند، و برای راه‌پله چراغ قوه"
        " بیاورید چون از صبح چراغ‌ها خاموش است."
    ),
    "ro": (
        "Magazinul alimentar din colț rămâne deschis astăzi până la ora douăzeci, mai au pâine,"
        " lapte și baterii. Cine merge greu poate bate la ușa din stânga la parter și mergem"
        " împreună. Vă rugăm să întrebați și vecinii din aripa laterală dacă au tot ce le trebuie"
        " și luați o lanternă, pentru că pe scări nu este lumină."
    ),
    "fr": (
        "L'épicerie du coin reste ouverte ce soir jusqu'à vingt heures, il y a encore du pain, du"
        " lait et des piles. Si vous marchez difficilement, frappez à la porte de gauche au"
        " rez-de-chaussée, nous irons ensemble. Demandez aussi aux voisins de l'aile latérale s'ils"
        " ont tout ce qu'il leur faut, et prenez une lampe."
    ),
    "es": (
        "La tienda de la esquina está abierta hoy hasta las ocho de la tarde, todavía hay pan,"
        " leche y pilas. Quien camine con dificultad puede llamar a la puerta izquierda de la"
        " planta baja y vamos juntos. Preguntad también a los vecinos del ala lateral si tienen"
        " todo lo que necesitan, y traed una linterna para la escalera."
    ),
    "it": (
        "Il negozio di alimentari all'angolo oggi resta aperto fino alle venti, ci sono ancora"
        " pane, latte e batterie. Chi cammina a fatica può bussare alla porta di sinistra al piano"
        " terra e andiamo insieme. Chiedete anche ai vicini dell'ala laterale se hanno tutto quello"
        " che serve, e portate una torcia per le scale."
    ),
}


def _is_own(letter: str) -> bool:
    """Whether it is not one that combines with another, or joins two."""
    return unicodedata.category(letter) not in ("Mn", "Me", "Cf")


def count_of(text: str) -> int:
    """How many graphemes it has."""
    return sum(map(_is_own, text))


def graphemes(text: str, most: int) -> str:
    """The first so many."""
    count = 0
    for place, letter in enumerate(text):
        count += _is_own(letter)
        if count > most:
            return text[:place]
    return text
