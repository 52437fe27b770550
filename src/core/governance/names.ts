/** Words inside a name that stay small where a name is written anew. */
const SMALL: ReadonlySet<string> = new Set(
  'al bin da das de del den der di dos du e el ibn la le ten ter van von vom y zu zum zur'.split(' '),
)
const LETTER = /\p{L}/gu
const CASED = /[\p{Lu}\p{Ll}]/u

/**
 * A name that was typed in capitals or in small letters alone, as it is usually written: "SMITH" is "Smith",
 * "anne-marie" is "Anne-Marie", "O'BRIEN" is "O'Brien". Names of mixed case and up to two capitals ("JP") stay: people
 * know how their names are written. Its own result stays too.
 */
export function tidyName(name: string): string {
  const upper = name.toUpperCase()
  const lower = name.toLowerCase()
  if (!CASED.test(name) || (name !== upper && name !== lower)) return name
  if (name === upper && (name.match(LETTER) ?? []).length <= 2) return name
  const words = lower.split(' ')
  const last = words.length - 1
  const tidied = words
    .map((word, i) =>
      i < last && SMALL.has(word)
        ? word
        : word
            .split(/(?<=[-'’.])/u)
            .map(capital)
            .join(''),
    )
    .join(' ')
  // Letters that one turn of case does not settle are left as they were typed.
  return tidied === tidied.toUpperCase() || tidied === tidied.toLowerCase() ? name : tidied
}

function capital(part: string): string {
  const irish = /^mc(?=\p{L}{3})/u.exec(part)
  if (irish !== null) return `Mc${capital(part.slice(2))}`
  const [first = ''] = part
  return first.toUpperCase() + part.slice(first.length)
}
