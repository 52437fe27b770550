import countries from 'i18n-iso-countries/index.js'
import english from 'i18n-iso-countries/langs/en.json' with { type: 'json' }
import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { nearest } from '../nearest.ts'

export const COUNTRY_FORMS = ['alpha2', 'alpha3', 'name'] as const
export type CountryForm = (typeof COUNTRY_FORMS)[number]

/** ISO 3166-1 alpha-2. Reads alpha-2, alpha-3 and English names; writes `form`. */
export function country(form: CountryForm = 'alpha2', empty: EmptyForm = ''): Codec {
  return codecFrom({
    name: 'country',
    samples: ['DE', 'US', 'CI'],
    empty,
    read(raw) {
      const code = typeof raw === 'string' ? countryOf(raw) : undefined
      return code === undefined ? invalid(raw, unknown(raw)) : readAs(code)
    },
    write: (value) => (typeof value === 'string' ? print(value, form) : value),
  })
}

const fold = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

const namesByCode = new Map<string, string>()
const codesByName = new Map<string, string>()
for (const [code, alpha3] of Object.entries(countries.getAlpha2Codes())) {
  codesByName.set(fold(code), code).set(fold(alpha3), code)
}
for (const [code, names] of Object.entries(english.countries)) {
  const all = Array.isArray(names) ? names : [names]
  namesByCode.set(code, all[0] ?? code)
  for (const name of all) codesByName.set(fold(name), code)
}
for (const [name, code] of [
  ['UK', 'GB'],
  ['England', 'GB'],
  ['Scotland', 'GB'],
  ['Wales', 'GB'],
  ['Holland', 'NL'],
] as const) {
  codesByName.set(fold(name), code)
}

/** The alpha-2 code of a code or English name; undefined where there is no such country. */
export function countryOf(said: string): string | undefined {
  if (said.length === 2 && namesByCode.has(said)) return said
  return said.length > 100 ? undefined : codesByName.get(fold(said))
}

function unknown(raw: Parameters<Codec['get']>[0]): string {
  const meant =
    typeof raw === 'string' && raw.length < 60 ? nearest(fold(raw), [...codesByName.keys()]) : undefined
  const code = meant === undefined ? undefined : codesByName.get(meant)
  const hint =
    code === undefined
      ? 'Write its ISO code, such as DE.'
      : `Did you mean ${code} (${namesByCode.get(code)})?`
  return `${shown(raw)} is not a country. ${hint}`
}

function print(code: string, form: CountryForm): string {
  if (form === 'alpha3') return countries.alpha2ToAlpha3(code) ?? code
  return form === 'name' ? (namesByCode.get(code) ?? code) : code
}
