import { isEmpty, same, type Json, type JsonObject } from '../core/json.ts'
import { ABSENT, mergePatches, type Lens, type Reading } from '../core/lens.ts'
import { EMPTY, isList, readAs, type Codec } from './codec.ts'
import type { Frame } from './pair-lens.ts'
import { parsePath, patchPath, readPath, type Path } from './path.ts'

/** A place that holds some members of a set: one value, or a list of at most `room`. */
export type Spot = { readonly path: Path; readonly holds: 'one' | 'list'; readonly room: number }

/** `mobilePhone`, `businessPhones[2]` (a list of at most two) or `homePhones[]`; undefined where it is none of these. */
export function parseSpot(text: string): Spot | undefined {
  const [, name = text, room] = /^(.+?)\[(\d{0,3})\]$/s.exec(text) ?? []
  const path = parsePath(name)
  if (path === undefined || room === '0') return undefined
  if (room === undefined) return { path, holds: 'one', room: 1 }
  return { path, holds: 'list', room: room === '' ? Number.POSITIVE_INFINITY : Number(room) }
}

/**
 * A set of the hub, spread over several places of the remote: phones over business, mobile and home ones. Members are
 * read in the order of the places. A member stays where it is; new ones go to the first place with room, and where no
 * room is left the remote does without them.
 */
export function spreadLens(
  frame: Frame,
  spots: readonly Spot[],
  codec: Codec,
  missing: 'absent' | 'empty',
): Lens {
  return {
    ...frame,
    get(body) {
      const found = spots.map((spot) => membersAt(spot, codec, body))
      const wrong = found.find((members) => members?.kind === 'invalid')
      if (wrong?.kind === 'invalid') return wrong.reading
      if (found.every((members) => members === undefined)) return missing === 'empty' ? EMPTY : ABSENT
      const values = found.flatMap((m) => (m?.kind === 'members' ? m.members.map(({ value }) => value) : []))
      return readAs(values.length === 0 ? null : distinct(values))
    },
    put(value, body) {
      const wanted = isList(value) ? value : []
      const kept: Json[] = []
      const places = spots.map((spot) => {
        const now = body === null ? undefined : membersAt(spot, codec, body)
        const members = now?.kind === 'members' ? now.members : []
        const stays = members.filter((m) => wanted.includes(m.value) && !kept.includes(m.value))
        kept.push(...stays.map((m) => m.value))
        return { spot, says: now !== undefined, before: members.length, raws: stays.map((m) => m.raw) }
      })
      for (const member of wanted.filter((one) => !kept.includes(one))) {
        places.find(({ spot, raws }) => raws.length < spot.room)?.raws.push(codec.put(member))
      }
      return places.reduce<JsonObject>((patch, { spot, says, before, raws }) => {
        const isSaid = before === raws.length && raws.every((raw) => wasThere(spot, raw, body))
        if (isSaid && (says || raws.length === 0)) return patch
        const written = spot.holds === 'list' ? raws : (raws[0] ?? codec.put(null))
        return mergePatches(patch, patchPath(spot.path, written))
      }, {})
    },
  }
}

/** Sets to try a mapping with: as many members as there is room for. */
export function spreadSamples(spots: readonly Spot[], codec: Codec): readonly Json[] {
  const room = spots.reduce((sum, spot) => sum + spot.room, 0)
  return [codec.samples.slice(0, 1), codec.samples.slice(0, Math.min(room, codec.samples.length))]
}

type Members =
  | {
      readonly kind: 'members'
      readonly members: readonly { readonly raw: Json; readonly value: Json }[]
    }
  | { readonly kind: 'invalid'; readonly reading: Reading }

function membersAt({ path }: Spot, codec: Codec, body: Json): Members | undefined {
  const said = readPath(path, body)
  if (said === undefined) return undefined
  const members: { readonly raw: Json; readonly value: Json }[] = []
  for (const raw of isList(said) ? said : [said]) {
    const reading = codec.get(raw)
    if (reading.kind === 'invalid') return { kind: 'invalid', reading }
    if (reading.kind === 'value' && !isEmpty(reading.value)) members.push({ raw, value: reading.value })
  }
  return { kind: 'members', members }
}

function wasThere({ path }: Spot, raw: Json, body: Json | null): boolean {
  const said = body === null ? undefined : readPath(path, body)
  return isList(said) ? said.some((one) => same(one, raw)) : said !== undefined && same(said, raw)
}

const distinct = (values: readonly Json[]): readonly Json[] =>
  values.filter((value, i) => values.findIndex((other) => same(other, value)) === i)
