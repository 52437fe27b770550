import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'

/** PostgreSQL's integer. */
const LARGEST = 2_147_483_647
const GROUPED = /^[+-]?\d{1,3}(?:[ ,'\u00a0\u202f’]\d{3})+$/

/** A whole number of 32 bits. `1,200` is read; `1.200` is refused, as it may be either of two numbers. */
export function integer(empty: EmptyForm = ''): Codec {
  return codecFrom({
    name: 'integer',
    samples: [0, 7, 1200],
    empty,
    read(raw) {
      const number = typeof raw === 'string' ? numberOf(raw.trim()) : raw
      if (typeof number !== 'number' || !Number.isInteger(number))
        return invalid(raw, `${shown(raw)} is not a whole number. Write it in digits only, such as 1200.`)
      return Math.abs(number) > LARGEST
        ? invalid(raw, `${shown(raw)} is out of range. The largest number is 2,147,483,647.`)
        : readAs(number === 0 ? 0 : number)
    },
    write: (value) => value,
  })
}

function numberOf(said: string): number {
  if (/^[+-]?\d{1,15}$/.test(said)) return Number(said)
  return said.length < 30 && GROUPED.test(said) ? Number(said.replace(/[ ,'\u00a0\u202f’]/g, '')) : Number.NaN
}
