import { codecFrom, invalid, readAs, scalarText, shown, type Codec, type EmptyForm } from '../codec.ts'

const YES = new Set(['true', 'yes', 'y', 'on', '1', 'x', 't'])
const NO = new Set(['false', 'no', 'n', 'off', '0', '-', 'f'])

export type BooleanOptions = {
  /** What is written, and also read, for yes and no; JSON true and false where nothing is said. */
  readonly yes?: string | undefined
  readonly no?: string | undefined
}

/** Yes or no as the hub's text `true` or `false`: custom fields hold text. */
export function boolean(options: BooleanOptions = {}, empty: EmptyForm = ''): Codec {
  const { yes, no } = options
  return codecFrom({
    name: 'boolean',
    samples: ['true', 'false'],
    empty,
    read(raw) {
      const said = scalarText(raw)?.trim()
      if (said !== undefined && said === yes) return readAs('true')
      if (said !== undefined && said === no) return readAs('false')
      const word = said?.slice(0, 10).toLowerCase() ?? ''
      if (YES.has(word)) return readAs('true')
      return NO.has(word)
        ? readAs('false')
        : invalid(raw, `${shown(raw)} is neither yes nor no. Write true or false.`)
    },
    write: (value) => (value === 'true' || value === true ? (yes ?? true) : (no ?? false)),
  })
}
