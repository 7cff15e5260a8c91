"""The 1,024 English code words, for everybody who does not read German."""

from __future__ import annotations

__all__ = ["WORDS"]

#: Made for this, things one can see or touch where possible. None is a letter away from another or
#: its beginning, and none is what somebody would say about an emergency.
WORDS = """
academy account acorn acrobat actor address adobe adventure advice agate airport album alder alley
almond alphabet alpine amateur amber ambition anchor anemone angel animal ankle answer anthem
antique antler anvil apple apricot apron aquarium arcade arch arena arrow article artist ascent
aspen athlete attic august aunt aurora autograph autumn avenue avocado award azure badge bagel
baker balance balcony ballad ballet balloon bamboo banana bandage banjo banner barber bargain
barley barn barometer barrel baseball basil basket bathtub battery beach beacon bean beard beauty
beaver bedrock bedroom beetle bell benefit berry bicycle bird birthday biscuit bishop bison
blanket blossom blouse blueprint boat bonfire bonnet book border bottle boulder bowl bracelet
branch brass bread breeze brick bridge brigade broccoli bronze broom brother brush bubble bucket
buckle budget buffalo bugle builder bundle bunny burrow butter button buzzard cabaret cabbage
cabin cable cactus cafe calcium calendar camel camera camp canal candle candy canoe canvas canyon
captain caramel caravan cargo carnival carpet carrot cartoon cascade cashew castle catalog catfish
cavalry cedar ceiling celery cellar cello cement center cereal chain chalk chamber champion
channel chapel chapter charcoal chariot charm cheese cherry chess chicken chimney chisel choir
chowder cider cinema cinnamon circle circus citizen citrus city clarinet clay cliff climate
climber clock cloud clown coach coast cobalt cockatoo cocoa coconut coffee coin color column comet
comfort comic commerce compass concert concrete cookie copper copyright coral cork corner costume
cotton cougar council country courage cousin cowboy coyote cradle crane crayon cream credit
cricket crocus crossing crystal cube cucumber cupboard current curtain curve cushion custard
cymbal cypress daffodil dahlia daisy dancer dandelion daughter dawn decade december deer delight
delta denim dentist deposit desk detail dialog diamond diary dinner dinosaur diploma director
discus district doctor dolphin domino donation door dove dozen dragon drawer dress driver drum
duck dune dynamo eagle earring earth easel east echo eclipse economy edition editor effort eight
elbow election element elephant elevator emblem emerald empire energy engine envelope episode
equator essay estate evening event example exhibit expert explorer express fabric factory fairway
falcon family farmer fashion father faucet feature february fellow felt fence fern festival
fiction fiddle field fifty figure filter finch finger fireside fish fitness flag flamingo flannel
flask flavor fleece flight flint flour flower flute focus foil folder folk forest formula fort
forum forward fountain foxglove fragment freckle freedom freezer friday friend fringe frog frost
fruit fudge funnel future gadget galaxy gallery gallop gambit garage garden garlic garnet gateway
gazelle gecko gelatin genius gentle geology geyser giant giraffe glacier glass glide glimmer globe
goblet gold gondola goose gorilla gourmet grammar granite grape gravel gravity green grey grill
guardian guest guitar gulf habitat hail half hammer hammock hamster hand harbor harmony harp
harvest hawk hazel headline heart heather hedge heel helmet hemlock herb heritage heron highway
hiker hill hippo history hockey holiday holly honey hood horizon horn horse hotel humming husky
hydrant icicle idea igloo iguana image impulse indigo inlet insect instinct interval iris iron
island ivory jacket jackpot jaguar january jasmine javelin jazz jeans jelly jewel jigsaw jogger
journal journey juggler juice july jump jungle junior juniper jupiter justice kangaroo kayak
keeper kelp kernel kettle keyboard kingdom kiosk kitchen kite kitten kiwi knee knight knitting
knot koala label ladder ladybug lagoon lake lamb landing lantern lark laser lasso lattice laugh
laundry lavender leaf lecture legend leisure lemon lentil leopard letter lettuce level liberty
library lichen lilac lily lime limit linen lion lizard llama lobby lobster locket lodge logic
lotus luggage lumber lunch lupin lynx lyric machine magic magnet magpie mailbox major mandolin
mango mantle manual maple marble margin market maroon marsh mask maximum meadow medal melody melon
member mercury mermaid meteor midnight milk mineral minnow mint minute mirror moccasin model mole
monday monsoon moon morning mosaic moth motor mouse muffin mulberry muscle museum music napkin
nature navy necklace needle nephew nest network nine noodle north nose notebook november nurse
nutmeg oasis oats ocean october octopus office olive omelet onion opal opera orange orbit orchard
orchestra orchid organ origami osprey ostrich otter outdoor oven oxygen oyster paddle page painter
palace palette palm pancake panda panel pansy panther papaya paper parade parent parsley party
passage pastry path peacock peanut pear pebble pelican pencil penguin people pepper perfume petal
phone photo piano pickle picnic picture pigeon pillar pillow pilot pineapple pioneer pipe pirate
pistachio planet plank plastic plate plaza plum polar pond poppy porch porridge portrait potato
pottery powder prairie present pretzel prince print prism prize program proverb pudding pumpkin
pupil puppet purple puzzle pyramid quail quarry quartz queen quick quill quince quiver rabbit
raccoon race radar radio radish raft rainbow raisin raspberry raven razor recipe record reef
region reindeer rhubarb rhythm ribbon ring road robin robot rodeo roof rooster rope rough round
rowboat royal ruby ruler runner russet saffron sailor salad salmon salt salute sandal sapphire
sardine satin saturday saucer sauna savanna scarf school science scissors scooter scout screen
sculptor seagull season seaweed seed senator sequin seven shampoo shark sheep shelf shelter shield
ship shirt shore shoulder shovel shrimp shutter silver sister sixty skate sketch skiing sleeve
slipper slope smile snail snow soap soccer sock sofa solo song south spade sparrow spice spider
spinach spiral sponge spoon sport spring sprout spruce squash squid squirrel stable stadium
staircase stamp star station statue steam steel stereo stone stork street stripe studio submarine
sugar suitcase summer summit sunday sunset surf swallow swan sweater swimmer swing sycamore symbol
syrup tablet talent tangerine tapestry target teacher teapot temple tennis tenor tent terrace
theater thimble thirty thistle three throne thumb thyme ticket tiger timber tinsel tobacco tomato
tonic topaz tortoise toucan towel town tractor traffic trail trapeze treasure trellis triangle
trolley trombone trophy trout truck trumpet tuba tuesday tulip tundra turban turnip turquoise
turtle tuxedo twelve twenty twig ukulele umbrella uncle unicorn uniform unit upland urchin
vacation valve vanilla vase vault velvet veranda vessel victory video village vinegar vineyard
viola violet violin visitor voice volcano volume voyage waffle wagon waist waiter walnut walrus
waltz wardrobe warm wasp watch wave wedding wednesday weekend whale wheat whisker white window
winter wisdom wolf wombat wonder wool worker world wren yacht yard yoga yogurt zebra zenith zephyr
zero zigzag zinc zipper
"""
