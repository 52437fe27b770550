import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js'
import type { Reading } from '../../core/lens.ts'
import { codecFrom, invalid, readAs, scalarText, shown, type Codec, type EmptyForm } from '../codec.ts'

/** Parsing takes microseconds and sweeps read the same numbers again and again. */
const REMEMBERED = 20_000
const memories = new Map<string, Map<string, Reading>>()

/** E.164 (`+4930123456`). A number without a country is read as one of `country`. Extensions are left out. */
export function phone(country: string, empty: EmptyForm = ''): Codec {
  const memory = memories.get(country) ?? new Map<string, Reading>()
  memories.set(country, memory)
  return codecFrom({
    name: 'phone',
    samples: ['+4930123456', '+12025550143'],
    empty,
    read(raw) {
      const said = scalarText(raw)?.trim()
      if (said === undefined || said.length > 100)
        return invalid(raw, `${shown(raw)} is not a phone number. Write it as +49 30 123456.`)
      const known = memory.get(said)
      if (known !== undefined) return known
      const reading = parse(said, country)
      if (memory.size >= REMEMBERED) memory.clear()
      memory.set(said, reading)
      return reading
    },
    write: (value) => value,
  })
}

function parse(said: string, country: string): Reading {
  const dialled = said.replace(/^(?:tel:)?\s*00(?=[1-9])/i, '+').replace(/^tel:/i, '')
  const defaultCountry = isSupportedCountry(country) ? { defaultCountry: country } : {}
  const number = parsePhoneNumberFromString(dialled, { ...defaultCountry, extract: false })
  if (number?.isPossible() === true && isFixed(dialled, number.number)) return readAs(number.number)
  return invalid(
    said,
    `${shown(said)} is not a phone number in ${country}. Write it with its country code, as +49 30 123456.`,
  )
}

/** A few garbled numbers parse to one that parses to yet another: that is no form to keep. */
function isFixed(dialled: string, e164: string): boolean {
  const isSpelledOut = `+${dialled.replace(/\D/g, '')}` === e164 && /^\+[\d\s().-]+$/.test(dialled)
  return isSpelledOut || parsePhoneNumberFromString(e164, { extract: false })?.number === e164
}
