"""The 1,024 German code words: nothing with an umlaut or ß, which not every keyboard has."""

from __future__ import annotations

__all__ = ["WORDS"]

#: Made for this, things one can see or touch where possible. None is a letter away from another or
#: its beginning, and none is what somebody would say about an emergency.
WORDS = """
abend acker adler ahorn album algen allee alltag alter amboss ameise ampel amulett ananas anemone
angel anlage anorak antenne antwort anzug apfel apotheke applaus april aquarium arbeit archiv
arena arkade armband aroma artikel arzt asche asphalt atelier atem atlas aubergine aufzug auge
august ausflug auster auto azur baby bach backofen bagger bahnhof balance balkon bambus banane
band banjo banker barock basar basilikum basis bast batik batterie bauer becher becken beere beet
beifall bein beispiel berg bericht bernstein beruf besen besteck besuch beton beutel bibel biene
bild billard biologie birke bison bistro blatt blech blick blume boden bohne bohrer boje bonbon
bonus boot boxer bratsche brei brett brief brille bruder brunnen bucht buddel bude busch butter
chef chor clown comic computer cousin curry dachs dackel damm dampfer dattel datum daumen decke
deich delfin denkmal dezember dialog diamant dichter diele diener dienstag dill diplom dirigent
distel docht dohle doktor dolmen donner dorf dose drache draht drehbuch dreieck droschke druck
dschungel duft dusche dynamo eber echo edelstein efeu ehering eiche eidechse eimer einhorn einkauf
eisberg eisen eisvogel elch elefant ellipse elster eltern email emblem enkel ente enzian epoche
erbse erdbeere erde espe essig estrich etage eule ewigkeit export fabel fabrik faden fahne fahrrad
falke familie farbe farn fasching februar feder feige feld fenchel fenster ferien fest fichte
figur filter filz finger fink firma fisch flagge flamingo flanke flasche fleck fleiss flieder
fliege flocke floh flosse flug fohlen folie forelle form forst foto frack frage freitag freude
friede frosch frost frucht fuchs funke furche galerie galopp gamasche gans garage garten gasse
gazelle gebirge gedicht geduld gefieder gehege geist gelb gelenk gemse gerste gesang geschenk
gewand gewitter geysir ginster gipfel gips giraffe girlande gitarre gitter glanz glas glut gnom
gold gondel gorilla graben grafik granit greif grenze griff grotte grube gruppe gruss gummi gurke
gurt gymnast haar habicht hafen hagel hahn halle halm haltung hammer hamster hanf hantel harfe
harmonie harz haube haus hebel hecht heft heide heimat heizung hemd henne herbst himbeere himmel
hirsch hirte hobby hocker holunder holz honig hopfen horizont hotel humor hund hupe hyazinthe
hydrant idee igel iglu iltis imbiss imker impuls indigo ingwer inhalt insekt insel instinkt iris
jacht jacke jaguar jahr jasmin jawort jeans jodler joghurt jolle jubel jugend juli jung jurist
kabine kachel kaffee kaiser kajak kakadu kaktus kalb kalender kamel kamera kamille kamin kanal
kanne kanu kapelle kapitel kappe kapsel karotte karpfen karte karton karussell kasten katalog
kater katze kegel kehle keks keller kenner kern kerze kette kicher kiefer kies kino kiosk kirche
kiste kittel kitz kiwi klammer klang klavier klee kleid klima klinge klippe klotz kluft knabe
knauf kneipe knie knoblauch knolle knopf knospe knoten kobold koch koffer kohl kolibri komet komma
kommode kompass konzert koralle korb kordel kosmos kostbar krabbe kraft kragen kran krawatte
kredit kreide kreis kresse kreuz krokus krone kruste kuchen kuckuck kufe kulisse kultur kunst
kupfer kupon kurve kutsche labor lager laie lakritz lama lampe lanze laterne latte laub lauch
laune lavendel leben lehm lehrer leine leinwand leiste leiter lektion lenker leopard lerche lesung
leuchter libelle licht lied lilie limette limonade linde lineal logbuch lorbeer lotse lotus luke
lunge lurch luxus lyrik magen magnet mais majoran makler makrele malz mandel mango marder
margerite marke marmelade marmor marsch matratze matrose maulwurf medaille meer mehl meister
melder melodie melone menge mensa mensch messe metall metzger miete mikado milbe milch mimose
minute minze mittag mixer mode mohn molke monat mond monitor montag moor morgen motiv motte mulde
murmel muschel museum musik muskat myrte nachbar nadel nahrung name narzisse natur neffe nelke
nerv netz neugier nische niveau nixe nomade norden note notiz nougat novelle november null nummer
nutzen obst ochse ofen oktave oktober olive olymp omelett omnibus opal oper orange orchidee ordner
orgel ostern otter ozean paddel paket palast palette palme panda panther panzer papagei papier
pappel paprika parade parfum park partner pastell pastete pate pauke pavillon pedal pelikan pelz
pendel perle person pfad pfanne pfarrer pfeffer pfeife pfeil pferd pfirsich pflanze pflaster
pflaume pforte pfosten pfund phase piano picknick pilger pilot pinguin pinie pirat pistazie pizza
plakat plan platane platz plaza plombe pokal polka pollen polster pony posaune post praline prinz
prisma probe profil prosa provinz prozent pudding pudel puls puma pumpe punkt purpur puzzle
pyramide quader qualle quark quartett quirl quitte quiz quote rabatt rabe radio rakete ranke rasen
raum raupe rebhuhn rechen rechnung rede regal regen region reifen reihe rektor relief rezept
rhabarber rhythmus riegel riese rind rispe robbe rock roggen rohr roman rosine rotkehl route rubin
ruhe rumpf runde saal sache sack saft sage saite salat salbe samen samstag sandale sarong satin
satz sauna schach schaf schale schanze schatz schaukel scheibe schelle schema schere scheune
schicht schiene schiff schild schinken schirm schlitten schloss schlucht schmied schminke schnabel
schnecke schnee schnur schopf schotter schrank schraube schreiner schrift schublade schuh schulter
schuppe schwalbe schwamm schwan schweif schwung sechs sehne seife seil sekt sekunde sellerie
semmel senf september serie sichel sieb sieger signal silber silo sirup skala skelett skizze socke
sofa sommer sonne sonntag sorte spaten specht speck speer speiche speise sperling spiegel spiel
spinat spindel spinne spirale spitze splitter sport sprache sprosse sprung spur stachel staffel
stahl stamm standuhr stange start station statue staub staude steg stein stempel steppe steuer
stich stiefel stier stift stille stimme stirn stock stoff stollen storch strand strasse strauss
strecke strom strumpf stube stunde suppe symbol szene tabelle tablett tafel taille takt talent
taler tanz tapete tapir taste taucher tausch taxi teak technik teig tempo tenor teppich termin
terrasse text theater theke thema thron thymian tiefe tiger tinte tipp titel toast tochter tomate
topf tour tracht tradition tram traube treffer treppe tresen tresor trichter trikot trommel
trompete tropfen tuba tuch tukan tulpe tundra tunnel turban turnhalle turnier ufer ulme umhang
umlaut uniform union unterholz urkunde urlaub ursache urwald utopie vanille veilchen ventil
veranda verein vers vetter video vieh viereck viola violine virtuose visum vogel volk vorhang
vorrat vortrag vulkan waage waffel wahl wald walnuss walze wanderer wappen wasser weise weizen
welle welt wende werft werk weste wicke widder wiege wiesel wimpel winkel winter wirbel wirt woche
wohnung wolf wunder wunsch wurm wurst wurzel zander zange zapfen zaun zebra zeche zehn zeichen
zeile zeit
"""
