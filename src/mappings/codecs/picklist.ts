import { codecFrom, invalid, readAs, scalarText, shown, type Codec, type EmptyForm } from '../codec.ts'
import { choose } from '../nearest.ts'
import { cleanText } from './text.ts'

export type PicklistOptions = {
  /** Hub value by remote value. Where several say the same, the first listed one is written. */
  readonly values: Readonly<Record<string, string>>
  /** What to do with a value that is not listed: pass it on as it is, or refuse it. */
  readonly unknown?: 'keep' | 'invalid' | undefined
}

/** A choice from a list, under other names at the remote. Upper and lower case count as the same. */
export function picklist(options: PicklistOptions, empty: EmptyForm = ''): Codec {
  const { values, unknown = 'keep' } = options
  const toHub = new Map<string, string>()
  const toRemote = new Map<string, string>()
  for (const [remote, hub] of Object.entries(values)) {
    if (!toHub.has(fold(remote))) toHub.set(fold(remote), hub)
    if (!toRemote.has(hub)) toRemote.set(hub, remote)
  }
  return codecFrom({
    name: 'picklist',
    samples: [...toRemote.keys()],
    empty,
    read(raw) {
      const said = scalarText(raw)
      if (said === undefined || said.length > 1_000)
        return invalid(raw, `${shown(raw)} is not one choice of a list.`)
      const hub = toHub.get(fold(said))
      if (hub !== undefined) return readAs(hub)
      return unknown === 'keep'
        ? readAs(cleanText(said) || null)
        : invalid(raw, `${shown(raw)} is not on the list. ${choose(said, Object.keys(values))}`)
    },
    write: (value) => (typeof value === 'string' ? (toRemote.get(value) ?? value) : value),
  })
}

const fold = (text: string): string => cleanText(text).toLowerCase()
