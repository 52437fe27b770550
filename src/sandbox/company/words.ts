/** The words the company is made of. Nobody here exists; all domains end in `.example`, which nobody can own. */
type Words = readonly [string, ...string[]]

function words(text: string): Words {
  const [first = '', ...rest] = text.trim().split(/\s+/)
  return [first, ...rest]
}

function phrases(text: string): Words {
  const [first = '', ...rest] = text.split(',').map((phrase) => phrase.trim())
  return [first, ...rest]
}

/** Given names by country, `Name/Nick` where people also go by another one. */
const ENGLISH = words(`
  Abigail/Abby Alice Andrew/Andy Anthony/Tony Beatrice/Bea Benjamin/Ben Caroline Charlotte Christopher/Chris
  Daniel/Dan Deborah/Debbie Diana Edward/Ed Eleanor/Nell Elizabeth/Liz Emma Frances Frederick/Fred Grace Hannah
  Harriet Isaac Jacob/Jake James/Jim Jennifer/Jen Joseph/Joe Joshua/Josh Katherine/Kate Laura Leonard/Len Lucy
  Margaret/Maggie Matthew/Matt Michael/Mike Naomi Nathaniel/Nate Nicholas/Nick Olivia Oscar Patricia/Pat Peter
  Rachel Rebecca/Becky Robert/Bob Rosalind Ruth Samuel/Sam Sophia Stephen/Steve Susan/Sue Theodore/Theo Thomas/Tom
  Victoria/Vicky William/Bill Zachary/Zach`)
const GERMAN = words(`
  Alexander/Alex Andrea Anja Annika Bernd Birgit Christian Daniela Dieter Elke Florian/Flo Friederike Georg Greta
  Hannelore Heike Henrik Ingrid Jana Jens Jürgen Karin Katharina/Kathi Klaus Lena Lukas Magdalena/Lena Marlene
  Matthias Maximilian/Max Niklas Petra Sabine Sebastian/Basti Silke Stefan Susanne Thorsten Ulrike/Uli Uwe Wolfgang`)
const FRENCH = words(`
  Adrien Agnès Amélie Antoine Aurélie Benoît Camille Cécile Chloé Claire Clément Damien Delphine Édouard Élodie
  Émile Étienne Fabienne François Gaëlle Guillaume Hélène Hugo Inès Jérôme Juliette Léa Luc Manon Mathilde Nathalie
  Océane Olivier Pascal Philippe Rémi Sandrine Sylvie Théo Valérie Véronique Yann Yves`)
const SWEDISH = words(`
  Anders Annika Axel Birgitta Björn Cecilia Ebba Elin Elsa Erik Fredrik Gunilla Gustav Håkan Ingrid Johan Karin Kerstin
  Lars Linnéa Maja Malin Nils Olof Oskar Pernilla Rickard Sara Sven Tove Ulla Viktor Åsa`)
const JAPANESE = words(`
  Aiko Akira Asuka Daichi Emi Haruka Haruto Hina Hiroshi Kaito Kaori Kazuki Keiko Kenji Mai Makoto Megumi Mio Naoki
  Natsumi Ren Riku Sakura Satoshi Shiori Sota Takumi Tomoko Yui Yuki Yuto`)

const ENGLISH_FAMILIES = words(`
  Abernathy Ackroyd Alderson Appleby Ashdown Atwater Bancroft Barlow Beckett Birchall Blackwood Bramwell Brightwell
  Calloway Carmody Castleton Chadwick Colburn Copperwhite Crawshaw Dallimore Delaney Dunmore Eastwood Ellery Fairbanks
  Fenwick Garrick Gilmore Goodwin Greaves Hadley Halloran Harcourt Hargrove Hawthorne Holloway Ingleby Kendrick
  Kingsley Lambourne Langford Larkin Lockwood Lovell Mallory Marlowe Meriwether Middleton Montrose Nightingale Norwood
  O'Brien O'Connell Oakley Osgood Pemberton Penhallow Pickering Prescott Quimby Radcliffe Ravenscroft Redfern Rowntree
  Rutherford Sandford Selwyn Shackleton Sinclair Standish Stockwell Tamworth Thackeray Thornbury Tillotson Trelawney
  Underhill Vance Wainwright Wakefield Weatherby Westbrook Whitcombe Winslow Woodruff Wycliffe Yarwood`)
const GERMAN_FAMILIES = words(`
  Ackermann Albrecht Baumgärtner Birkholz Brandauer Dorfner Eichhorn Engelbrecht Falkenberg Feldmann Grünwald Hagedorn
  Hasselbach Heidkamp Hirschfeld Hohenstein Jungblut Kaltenbach Kirchhoff Köhnlein Lindemann Lohmann Mühlbauer
  Nachtigall Oberländer Pfefferkorn Rabenau Reinhold Rosenthal Sandmann Schönfeld Seeberger Sonnleitner Steinbrück
  Tannhäuser Uhlenbrock Vogelsang Weidenbach Wiesinger Zimmerer`)
const FRENCH_FAMILIES = words(`
  Aubertin Beaumont Bellerose Boisvert Chantreuil Charpentier Clairmont Courcelle Delacourt Desjardins Duchesne Dufresne
  Fontenay Garnier Granger Hautecoeur Lachapelle Lamoureux Lavigne Lemaire Montclair Moreau Pelletier Perrault
  Ravenel Rochefort Rousselin Saint-Clair Sauvageot Tessier Valcourt Vasseur Verdier Villeneuve`)
const SWEDISH_FAMILIES = words(`
  Ahlström Bergdahl Björklund Dahlgren Edlund Ekström Forsberg Granlund Hedlund Holmqvist Kjellberg Lagerlund Lindqvist
  Lundmark Nordström Nyberg Rosenqvist Sandström Sjögren Stenmark Söderlund Tallberg Wallander Westerlund Öberg`)
const JAPANESE_FAMILIES = words(`
  Aoyama Fujimori Hasegawa Hayashida Ishikawa Kamiya Kinoshita Kuroda Matsuoka Minamoto Miyazawa Morishita Nagashima
  Nakagawa Nishimura Ogata Okabe Sakamoto Shimizu Takeda Tanimoto Ueda Watanabe Yamashita Yoshikawa`)

const FRENCH_STREETS = phrases('rue des Tilleuls,rue du Moulin,avenue des Acacias,place du Marché,quai Vieux')
const SWEDISH_STREETS = phrases('Björkgatan,Storgatan,Sjövägen,Kyrkogatan,Ekbacken')
const GERMAN_STREETS = phrases('Lindenstraße,Mühlweg,Am Markt,Gartenstraße,Birkenallee,Bahnhofstraße')
const ENGLISH_STREETS = phrases(
  'Mill Lane,High Street,Orchard Road,Elm Street,Station Road,Harbour View,Chapel Hill',
)
const JAPANESE_STREETS = phrases('Sakura-dori,Midori-cho,Honmachi,Kawabata-dori')

type City = { readonly name: string; readonly region: string; readonly postalCode: string }
const cities = (text: string): readonly [City, ...City[]] => {
  const [first = { name: '', region: '', postalCode: '' }, ...rest] = text.split(',').map((entry): City => {
    const [name = '', region = '', postalCode = ''] = entry.trim().split('/')
    return { name, region, postalCode }
  })
  return [first, ...rest]
}

export type Country = {
  readonly code: string
  readonly currency: string
  readonly given: Words
  readonly families: Words
  readonly streets: Words
  readonly cities: readonly [City, ...City[]]
}

const US: Country = {
  code: 'US',
  currency: 'USD',
  given: ENGLISH,
  families: ENGLISH_FAMILIES,
  streets: ENGLISH_STREETS,
  cities: cities(
    'Boston/MA/02108,Denver/CO/80202,Portland/OR/97204,Austin/TX/78701,Chicago/IL/60601,Madison/WI/53703',
  ),
}
const GB: Country = {
  ...US,
  code: 'GB',
  currency: 'GBP',
  cities: cities('London//N1 9GU,Leeds//LS1 4AP,Bristol//BS1 5TR,Sheffield//S1 2HE,York//YO1 7HH'),
}
const DE: Country = {
  code: 'DE',
  currency: 'EUR',
  given: GERMAN,
  families: GERMAN_FAMILIES,
  streets: GERMAN_STREETS,
  cities: cities('Berlin//10115,Hamburg//20095,Köln//50667,Leipzig//04109,München//80331,Bremen//28195'),
}
const FR: Country = {
  code: 'FR',
  currency: 'EUR',
  given: FRENCH,
  families: FRENCH_FAMILIES,
  streets: FRENCH_STREETS,
  cities: cities('Lyon//69001,Nantes//44000,Lille//59000,Bordeaux//33000,Rennes//35000'),
}
const SE: Country = {
  code: 'SE',
  currency: 'SEK',
  given: SWEDISH,
  families: SWEDISH_FAMILIES,
  streets: SWEDISH_STREETS,
  cities: cities('Göteborg//411 03,Malmö//211 20,Uppsala//753 20,Umeå//903 25'),
}
const JP: Country = {
  code: 'JP',
  currency: 'JPY',
  given: JAPANESE,
  families: JAPANESE_FAMILIES,
  streets: JAPANESE_STREETS,
  cities: cities('Kyoto//600-8216,Sendai//980-0021,Kobe//650-0021'),
}
export const COUNTRIES = [
  [US, 38],
  [GB, 20],
  [DE, 18],
  [FR, 12],
  [SE, 7],
  [JP, 5],
] as const

export const COMPANY_FIRST = words(`
  Alder Amber Anvil Arbor Ash Aspen Aurora Basalt Beacon Birch Bluefin Bramble Brass Cedar Chalk Cinder Clover Cobalt
  Copper Coral Crane Dapple Drift Ember Falcon Fern Flint Fox Garnet Granite Hazel Heron Hollow Indigo Iron Ivy Juniper
  Kestrel Lantern Larch Linden Lumen Maple Marble Meadow Mistral Moss Nimbus Oak Ochre Onyx Osprey Otter Pebble Pine
  Quarry Quill Raven Reed Saffron Sage Silver Slate Sparrow Spruce Sterling Summit Tamarack Thistle Timber Topaz Umber
  Vesper Violet Walnut Willow Wren Zephyr`)
export const COMPANY_SECOND = words(`
  bank bay bridge brook burn court crest dale field ford forge gate glen grove harbour haven hill hurst lake land
  leigh mead mill moor mount point port ridge shore spring stead stone thorpe vale view ward water well wick wood
  worth yard`)
export const COMPANY_KIND = phrases(
  'Analytics,Bakery,Brewing,Ceramics,Design,Engineering,Foods,Furniture,Instruments,Labs,Logistics,Media,Optics,Partners,Robotics,Software,Studios,Supply,Systems,Textiles,Tools,Travel,Works',
)
export const INDUSTRIES = phrases(
  'Manufacturing,Food and drink,Software,Professional services,Retail,Logistics,Media,Health care,Education,Construction',
)
export const TITLES = phrases(
  'Head of Purchasing,Office Manager,Marketing Manager,Managing Director,Software Engineer,Operations Lead,Accountant,Product Manager,Sales Manager,HR Business Partner,Chief Financial Officer,Head of Marketing,Buyer,Workshop Manager,Data Analyst,Founder,Assistant Manager,Quality Engineer,Logistics Coordinator,Head of IT',
)
/** How another system has the same title. */
export const TITLE_VARIANTS: readonly (readonly [string, string])[] = [
  ['Managing Director', 'MD'],
  ['Chief Financial Officer', 'CFO'],
  ['Head of', 'Director of'],
  ['Manager', 'Mgr'],
  ['Engineer', 'Eng.'],
  ['Coordinator', 'Co-ordinator'],
]
export const PRODUCTS = phrases(
  'Onboarding,Workshop day,Annual licence,Support plan,Data migration,Installation,Spare parts,Extra seats,Training,Audit',
)
/** Where people have mail of their own. */
export const MAILBOXES = words('mail.example post.example inbox.example letters.example')
