/**
 * Numbers that are kept for fiction, so that no phone ever rings:
 * https://en.wikipedia.org/wiki/Fictitious_telephone_number
 */
const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  // 555-01xx in every area.
  US: areas().map((area) => `+1${area}55501`),
  GB: [
    ...['113', '114', '115', '116', '117', '118', '121', '131', '141', '151', '161'].map(
      (a) => `+44${a}4960`,
    ),
    '+442079460',
    '+447700900',
  ],
  DE: ['+493023125', '+496990009', '+494066969', '+492214710', '+498999998'],
  FR: ['+33199', '+33261', '+33353', '+33465', '+33536', '+33639'],
  SE: ['+46313900', '+46406280', '+46846500'],
}
const FRENCH_BLOCKS: Readonly<Record<string, string>> = {
  '+33199': '00',
  '+33261': '91',
  '+33353': '01',
  '+33465': '71',
  '+33536': '49',
  '+33639': '98',
}
const DIGITS: Readonly<Record<string, number>> = { US: 2, GB: 3, DE: 3, FR: 4, SE: 3 }

function areas(): readonly number[] {
  const all = Array.from({ length: 780 }, (_, i) => 201 + i)
  return all.filter((area) => area % 100 !== 11)
}

/** The n-th number of a country in E.164, never the same twice; null where there are no more. */
export function phoneNumber(country: string, n: number): string | null {
  const prefixes = PREFIXES[country]
  const digits = DIGITS[country]
  if (prefixes === undefined || digits === undefined) return null
  const prefix = prefixes[n % prefixes.length] ?? ''
  const room = 10 ** digits
  const line = Math.floor(n / prefixes.length)
  if (line >= room) return null
  // Stepping by a number without common factor visits every line once, in no visible order.
  const shuffled = (line * 37 + 11) % room
  return `${prefix}${FRENCH_BLOCKS[prefix] ?? ''}${String(shuffled).padStart(digits, '0')}`
}

/** The same number as people write it; `style` from 0 to 3. */
export function written(e164: string, style: number): string {
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(e164)
  if (us !== null) {
    const [, area = '', exchange = '', line = ''] = us
    const styles = [
      e164,
      `(${area}) ${exchange}-${line}`,
      `${area}-${exchange}-${line}`,
      `+1 ${area} ${exchange} ${line}`,
    ]
    return styles[style] ?? e164
  }
  const [, country = '', rest = ''] = /^\+(33|44|46|49)(\d+)$/.exec(e164) ?? []
  if (country === '') return e164
  const spaced = `${rest.slice(0, 3)} ${rest.slice(3, 6)} ${rest.slice(6)}`.trim()
  const styles = [e164, `+${country} ${spaced}`, `00${country} ${spaced}`, `+${country} (0)${rest}`]
  return styles[style] ?? e164
}
