/** Names as they are common: the first ones far more than the last. */
export const GIVEN = (
  'james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph jessica ' +
  'thomas sarah charles karen christopher nancy daniel lisa matthew margaret anthony betty mark sandra donald ashley ' +
  'steven dorothy paul kimberly andrew emily joshua donna kenneth michelle kevin carol brian amanda george melissa edward ' +
  'deborah ronald stephanie timothy rebecca jason laura jeffrey helen ryan sharon jacob cynthia gary kathleen nicholas amy ' +
  'eric shirley jonathan angela stephen anna larry ruth justin brenda scott pamela brandon nicole frank katherine benjamin ' +
  'samantha gregory christine samuel catherine raymond virginia patrick debra alexander rachel jack janet dennis emma jerry ' +
  'carolyn tyler maria aaron heather henry diane jose julie douglas joyce peter evelyn adam joan nathan victoria zachary ' +
  'kelly walter lauren kyle christina harold martha carl frances gerald cheryl keith megan roger andrea arthur olivia ' +
  'wolfgang jürgen łukasz agnieszka søren ingrid françois amélie giovanni chiara joão inês mohammed fatima wei mei hiroshi yuki'
).split(' ')
export const FAMILY = (
  'smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson ' +
  'thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young ' +
  'allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell mitchell carter roberts ' +
  'gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez ' +
  "ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez wood o'brien " +
  'müller schmidt kowalski østergaard dubois rossi silva ferreira tanaka ivanov petrov yılmaz hansen larsen jansen'
).split(' ')
const SYLLABLES =
  'bar ber bing bol cal car cor dal den dor fal fen gar gil har hol kel ken lan lin mar mel mor nor pal pen ral rin sal sel tan tor val ven wal win'.split(
    ' ',
  )
const ENDINGS = 'son man ton ley field worth berg stein ski ova etti ez aux ard wood ham'.split(' ')
export const STREETS =
  'main oak maple cedar park elm washington lake hill walnut church river mill spring station high chestnut franklin highland forest'.split(
    ' ',
  )
export const KINDS = ['street', 'avenue', 'road', 'lane', 'drive', 'court', 'place']
const ABBREVIATED: Readonly<Record<string, string>> = {
  street: 'St',
  avenue: 'Ave',
  road: 'Rd',
  lane: 'Ln',
  drive: 'Dr',
  court: 'Ct',
  place: 'Pl',
}
export const abbreviated = (kind: string): string => ABBREVIATED[kind] ?? kind
const TOWNS =
  'spring river oak north south east west green fair clear white black red stone bridge lake'.split(' ')
const TOWN_ENDINGS = 'field ton ville port ford burg dale view mouth wood'.split(' ')
export const TRADES =
  'consulting construction logistics software engineering catering design energy media foods partners systems'.split(
    ' ',
  )
export const FORMS = ['Inc', 'Ltd', 'LLC', 'GmbH', 'PLC', 'Corp.', 'S.A.', '']
export const SHORT: Readonly<Record<string, string>> = {
  james: 'jim',
  robert: 'bob',
  william: 'bill',
  elizabeth: 'liz',
  richard: 'dick',
  margaret: 'peggy',
  thomas: 'tom',
  michael: 'mike',
  jennifer: 'jen',
  patricia: 'pat',
  christopher: 'chris',
  daniel: 'dan',
  matthew: 'matt',
  anthony: 'tony',
  steven: 'steve',
  andrew: 'andy',
  joshua: 'josh',
  kenneth: 'ken',
  edward: 'ted',
  deborah: 'debbie',
  timothy: 'tim',
  rebecca: 'becky',
  katherine: 'kate',
  samuel: 'sam',
  benjamin: 'ben',
  alexander: 'alex',
  victoria: 'vicky',
  nicholas: 'nick',
  jonathan: 'jon',
  stephen: 'steve',
  gregory: 'greg',
  susan: 'sue',
}

export type Chance = () => number
export const pick = <T>(from: readonly T[], chance: Chance): T => {
  const found = from[Math.floor(chance() * from.length)]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}
/** The first ones more often, as names are spread. */
export const pickCommon = <T>(from: readonly T[], chance: Chance): T =>
  pick(from.slice(0, 1 + Math.floor(from.length * chance() ** 1.5)), chance)

const RARE = SYLLABLES.length * SYLLABLES.length * ENDINGS.length
export const rareName = (chance: Chance): string => {
  const n = Math.floor(chance() * RARE)
  const first = SYLLABLES[n % SYLLABLES.length] ?? ''
  const second = SYLLABLES[Math.floor(n / SYLLABLES.length) % SYLLABLES.length] ?? ''
  return `${first}${second}${ENDINGS[Math.floor(n / SYLLABLES.length ** 2)] ?? ''}`
}
/** 160 towns, each with its postal codes and its state. */
export const town = (
  chance: Chance,
): { readonly city: string; readonly postcode: string; readonly state: string } => {
  const [a, b] = [Math.floor(chance() * TOWNS.length), Math.floor(chance() * TOWN_ENDINGS.length)]
  const n = a * TOWN_ENDINGS.length + b
  return {
    city: `${TOWNS[a] ?? ''}${TOWN_ENDINGS[b] ?? ''}`,
    postcode: String(10_000 + n * 500 + Math.floor(chance() * 8)),
    state: `S${n % 12}`,
  }
}

/** A slip of the pen: a letter left out, doubled, replaced, or two that changed places. */
export function slip(text: string, chance: Chance): string {
  if (text.length < 3) return text
  const at = Math.floor(chance() * (text.length - 1))
  const [before, one, two, after] = [
    text.slice(0, at),
    text.charAt(at),
    text.charAt(at + 1),
    text.slice(at + 2),
  ]
  switch (Math.floor(chance() * 4)) {
    case 0:
      return before + two + after
    case 1:
      return before + one + one + two + after
    case 2:
      return before + String.fromCharCode(97 + Math.floor(chance() * 26)) + two + after
    default:
      return before + two + one + after
  }
}
