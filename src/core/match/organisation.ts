import { fold, wordsOf } from './text.ts'

/** Legal forms, folded ("s.a.r.l." is "sarl"). They say how a firm is held, not which one it is. */
const FORMS = new Set(
  (
    'inc incorporated corp corporation co company ltd limited llc llp lp plc pllc pc gmbh mbh ag kg kgaa ohg gbr ug ev ' +
    'se sa sas sarl sasu eurl snc scs spa srl srls sl slu sau cv bv nv vof bvba sprl ab oy oyj as asa aps ivs hf ehf ' +
    'kft zrt doo dd sro zoo sp pty pte pvt private public kk yk sdn bhd tbk pt jsc ooo oao zao pjsc ltda sapi de rl ' +
    'holding holdings group gruppe groupe the und and et y e i cie amp'
  ).split(' '),
)

const WORDS: Readonly<Record<string, string>> = {
  intl: 'international',
  int: 'international',
  mfg: 'manufacturing',
  manuf: 'manufacturing',
  tech: 'technology',
  technologies: 'technology',
  svc: 'services',
  svcs: 'services',
  service: 'services',
  sys: 'systems',
  system: 'systems',
  assoc: 'associates',
  assn: 'association',
  bros: 'brothers',
  dept: 'department',
  univ: 'university',
  natl: 'national',
  mgmt: 'management',
  eng: 'engineering',
  engr: 'engineering',
  lab: 'laboratories',
  labs: 'laboratories',
  laboratory: 'laboratories',
  solution: 'solutions',
  product: 'products',
  industry: 'industries',
  consultants: 'consulting',
  consultancy: 'consulting',
  dev: 'development',
  distrib: 'distribution',
  comms: 'communications',
  communication: 'communications',
  centre: 'center',
  fin: 'financial',
  hosp: 'hospital',
  pharma: 'pharmaceuticals',
  pharmaceutical: 'pharmaceuticals',
}

/** The words of a firm's name that tell it from others, in their order. Never empty for a name that has words. */
export function organisationWords(name: string | undefined): readonly string[] {
  const words = wordsOf(fold(name?.replaceAll('&', ' ')))
  const telling = words.filter((word) => !FORMS.has(word)).map((word) => WORDS[word] ?? word)
  return telling.length > 0 ? telling : words
}

/** Words so many firms share that they alone say little. */
export const GENERIC: ReadonlySet<string> = new Set(
  (
    'international global services solutions systems technology consulting management engineering industries ' +
    'products trading enterprises associates partners network digital media marketing software design center national ' +
    'manufacturing financial capital development communications construction logistics energy health medical auto food ' +
    'foods restaurant cafe hotel school university hospital bank insurance club association foundation'
  ).split(' '),
)
