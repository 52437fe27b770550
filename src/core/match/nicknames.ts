/** Common short forms, one line a name: the first word is what the others stand for. Written for this project. */
const TABLE = `
abigail abby abbie gail
adelaide addie heidi
agnes aggie
albert al bert bertie albie
alexander alex alec sandy xander sasha alexandre alejandro alexandr aleksander
alexandra alex sandra sasha lexi alexa allie alessandra
alfred alf alfie fred freddie
alice ali allie alicia
alison ali allie allison alyson
amelia amy millie mel emilia
andrew andy drew andreas andre andrea andrei
angela angie ange
ann anne anna annie nan nancy hannah anya
anthony tony ant antonio anton antoine toni
archibald archie
arthur art artie
augustus gus august
barbara barb babs barbie
bartholomew bart
beatrice bea trixie beatrix
benjamin ben benny benji
bernard bernie
bridget biddy bridie
calvin cal
cameron cam
caroline carol carrie caro lina carolyn carolina
catherine cath cathy kate katie kathy kat kitty kay katherine kathryn cat katharine kathleen katarina catalina karen
charles charlie chuck chas chaz carl karl carlos charley
charlotte charlie lottie lotte char
chloe clo
christian chris
christina chris chrissie tina christine kristina kristin kirsten christa
christopher chris kit topher kristopher christoph christophe
clarence clare
clifford cliff
clinton clint
constance connie
cornelius neil con corny
curtis curt kurt
cynthia cindy
daniel dan danny
daniella dani danielle daniela
david dave davy davey
deborah deb debbie debra
dennis den denny
dominic dom nick dominik
donald don donnie
dorothy dot dottie dolly dora
douglas doug
edmund ed eddie ned
edward ed eddie ted teddy ned eduardo
eleanor ellie nell nora elinor ella
elizabeth liz lizzie beth betty eliza libby lisa elsie bess elisabeth betsy liza lisbeth elise elspeth
emily em emmy millie emilie
emma em
ernest ernie
eugene gene
evelyn eve evie
ezekiel zeke
felicity fliss
florence flo florrie
frances fran frankie fanny francesca francoise
francis frank frankie fran francisco francois franz
frederick fred freddie freddy rick fritz friedrich frederic
gabriel gabe
gabrielle gabby gabi gabriella
gareth gary gaz
geoffrey geoff jeff jeffrey
george georgie jorge georg georges
georgina georgie georgia gina
gerald gerry jerry gerard gerrard gerhard
gilbert gil bert
gordon gord
grace gracie
graham gray graeme
gregory greg gregor grigor
gwendolyn gwen
harold harry hal
harriet hattie harry
helen nell nellie lena helena ellen helene elena
henry harry hank hal henri heinrich enrique henrik
herbert herb bert
howard howie
hubert hugh bert
hugh hughie
ian iain
ignatius iggy
imogen immy
irene rene
isaac ike zac
isabella bella izzy isabel belle isabelle isobel ella
jacob jake jakob
jacqueline jackie jacqui jacquelyn
james jim jimmy jamie jem jaime
jane janie jenny janet
janet jan
jasmine jaz jazz
jennifer jen jenny jenni jenna
jeremy jerry jez jem jeremiah
jessica jess jessie
joan joanie
joanna jo joanne joey johanna joann
john jack johnny jon jonny johnnie juan johann ian sean jean giovanni ivan
jonathan jon jonny nathan jonathon johnathan
joseph joe joey jo jose josef giuseppe
josephine jo josie
joshua josh
joyce joy
judith judy jude
julia jules julie juliet
julian jules
katrina trina kat
kenneth ken kenny
kevin kev
kimberly kim kimberley
laura laurie lori lauren
lawrence larry laurie lawrie laurence lorenzo lorenz
leonard len lenny leo leon
leslie les lesley
lewis lew louis lou luis
lillian lily lil lilian
louise lou louisa
lucas luke luca lukas
lucille lucy lucia
madeleine maddie madeline maddy
malcolm mal
marcus marc mark markus marco marcos
margaret maggie meg peggy marge margie rita greta daisy madge margot margarita
maria mary marie mia mariah
marian mary
martha marty patty
martin marty martijn
martina marty tina
mary molly polly mae maureen marie maria may
matilda tilly tilda mattie
matthew matt matty mathew matthias mateo mathieu
maurice mo morris
maximilian max maxwell
melanie mel
melissa mel missy lissa
michael mike mick micky mickey mitch michel miguel mikhail michal mikael
michelle shelly chelle
mildred millie
miranda mandy
mitchell mitch
mohammed mo muhammad mohamed mohammad muhammed
montgomery monty
muriel mu
nancy nan
natalie nat natalia nathalie
natasha tasha
nathaniel nat nate nathan nathanael
nicholas nick nicky nico nikolas nicolas klaus nikolai
nicola nicky nikki nicole nic
norman norm
oliver ollie olly olivier
olivia liv livvy ollie
oscar ossie
oswald oz ozzie
pamela pam
patricia pat patty trish tricia patsy
patrick pat paddy rick padraig
paul paulie pablo pavel paolo
penelope penny
peter pete pedro pierre petr
philip phil pip phillip philippe
philippa pippa pip
priscilla cilla
rachel rach rachael
ralph raph
randolph randy
randall randy
raymond ray
rebecca becky bec becca bex rebekah
reginald reg reggie
richard rick dick rich ricky richie ricardo dickie
robert rob bob bobby robbie bert robin roberto rupert
roberta bobbie
roderick rod rory
rodney rod
roger rodge
roland rollo
ronald ron ronnie
rosemary rose rosie
roxanne roxy
russell russ
samantha sam sammy
samuel sam sammy
sandra sandy
sarah sally sadie sara
scott scotty
sebastian seb bastian
sharon shaz
shirley shirl
sidney sid sydney
simon si
sophia sophie sofia
stanley stan
stephanie steph stef stefanie stephany
stephen steve steven stevie stefan ste steffen esteban
stewart stu stuart
susan sue suzy susie suzanne susanna
sylvia syl
tabitha tabby
terence terry terrence
teresa terry tess theresa tessa
theodore ted teddy theo
thomas tom tommy tomas
timothy tim timmy
tobias toby
valerie val
vanessa nessa
vernon vern
veronica ronnie vera
victor vic viktor
victoria vicky vic tori viki
vincent vince vinny vincenzo
virginia ginny ginger
vivian viv vivienne
walter wally walt
wendy wen
wilfred wilf fred
wilhelmina mina billie
william bill billy will willy liam wilhelm guillermo willem
winifred winnie
yvonne eve
zachary zac zach zack zachariah
zoe zo
`

const ROOTS: ReadonlyMap<string, readonly string[]> = rootsOf(TABLE)

function rootsOf(table: string): ReadonlyMap<string, readonly string[]> {
  const roots = new Map<string, string[]>()
  for (const line of table.trim().split('\n')) {
    const names = line.split(' ')
    const root = names[0] ?? ''
    for (const name of names) roots.set(name, [...(roots.get(name) ?? []), root])
  }
  return roots
}

/** The names that a name is short for, itself among them where it is one: "alex" is Alexander and Alexandra. */
export const rootsOfName = (name: string): readonly string[] => ROOTS.get(name) ?? []

/** Whether two given names are forms of one: "bob" and "robert", "liz" and "beth". Both folded. */
export function isNickname(a: string, b: string): boolean {
  const roots = ROOTS.get(a)
  if (roots === undefined) return false
  const others = ROOTS.get(b)
  return others !== undefined && roots.some((root) => others.includes(root))
}

/** Two names that people really have and that are not forms of one: "mary" and "gary" are no slip of each other. */
export const areTwoNames = (a: string, b: string): boolean =>
  a !== b && ROOTS.has(a) && ROOTS.has(b) && !isNickname(a, b)
