import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts'
import { pass } from '../rig.ts'
import { applied, isEmpty, need, present, short, valueAt, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { make, pushOf, seeNow, send, updateOf } from './writes.ts'
import type { Rig } from '../rig.ts'

export const UPDATES: readonly Check[] = [
  {
    name: 'an update sent twice leaves the same version',
    contract: 'Write.update: writes are repeated after a crash; the second must change nothing.',
    per: 'resource',
    async run(rig) {
      const { id, update } = await updatable(rig)
      const patch = update.patch(1)
      const [first] = await send(rig, await updateOf(rig, id, 'update-1', patch))
      const one = present(applied(first, 'The update'), id)
      wantSame(await seeNow(rig, id), one, 'A read after the update differs from what the update answered')
      const [second] = await send(rig, await updateOf(rig, id, 'update-1', patch))
      const two = present(applied(second, 'The same update again'), id)
      wantSame([two.version, two.body], [one.version, one.body], 'The same update again changed the object')
    },
  },
  {
    name: 'an update touches only the fields of its patch',
    contract:
      'Write.update.patch: "A merge patch: only what changes"; unmapped remote fields are never touched.',
    per: 'resource',
    async run(rig) {
      const { id, update, stand } = await updatable(rig)
      const whole = async () =>
        stand.unmapped === undefined ? (await seeNow(rig, id)).body : stand.unmapped.whole(id)
      await stand.unmapped?.fill(id)
      const before = leaves(await whole())
      pass(rig, 5000)
      const [outcome] = await send(rig, await updateOf(rig, id, 'update-1', update.patch(1)))
      applied(outcome, 'The update')
      const after = leaves(await whole())
      const volatile = [update.path, ...(stand.volatile ?? [])]
      const touched = [...new Set([...before.keys(), ...after.keys()])]
        .filter((path) => before.get(path) !== after.get(path))
        .filter((path) => !volatile.some((known) => path === known || path.startsWith(`${known}.`)))
      wantSame(
        touched.map((path) => `${path}: ${before.get(path)} → ${after.get(path)}`),
        [],
        `An update of ${update.path} alone touched other fields`,
      )
    },
  },
  {
    name: 'a null in a patch clears the field',
    contract: 'Write.update.patch is a merge patch (RFC 7396): null clears, what is left out stays.',
    per: 'resource',
    async run(rig) {
      const { id, stand } = await updatable(rig)
      const { path, patch } = need(stand.clear, 'no field can be cleared')
      const before = await seeNow(rig, id)
      want(
        !isEmpty(valueAt(before.body, path)),
        `The stand's create should fill ${path}, so that it can be cleared`,
      )
      const [outcome] = await send(rig, await updateOf(rig, id, 'clear-1', patch))
      applied(outcome, `Clearing ${path}`)
      const left = valueAt((await seeNow(rig, id)).body, path)
      want(isEmpty(left), `${path} was cleared with null, but holds ${short(left)}`)
    },
  },
  {
    name: 'an edit made at the same time elsewhere in the object survives an update',
    contract:
      'Outcome stale, or a write of the patch alone: an edit at the vendor is never written over unseen.',
    per: 'resource',
    async run(rig) {
      const { id, update } = await updatable(rig)
      const edit = need(rig.at.edit, 'nothing can be edited at this vendor')
      const write = await updateOf(rig, id, 'update-1', update.patch(1))
      pass(rig, 5000)
      await edit.act(id)
      const edited = valueAt((await seeNow(rig, id)).body, edit.path)
      pass(rig, 5000)
      const [outcome] = await send(rig, write)
      want(
        outcome?.kind === 'stale' || outcome?.kind === 'applied',
        `An update of an object that changed should be stale or applied, not ${short(outcome)}`,
      )
      wantSame(
        valueAt((await seeNow(rig, id)).body, edit.path),
        edited,
        `The edit of ${edit.path} was written over`,
      )
    },
  },
  {
    name: 'an update with an old version is stale and changes nothing',
    contract: 'Write.update.version and Outcome stale: "The object changed under us: observe it again".',
    per: 'resource',
    async run(rig) {
      const { id, update, stand } = await updatable(rig)
      const edit = need(rig.at.edit, 'nothing can be edited at this vendor')
      if (!stand.conditional) need(null, 'neither vendor nor connector can make a write conditional')
      const write = await updateOf(rig, id, 'update-1', update.patch(1))
      pass(rig, 5000)
      await edit.act(id)
      const before = await seeNow(rig, id)
      const [outcome] = await send(rig, write)
      wantSame(outcome, { kind: 'stale' }, 'An update with an old version')
      wantSame(await seeNow(rig, id), before, 'A stale update changed the object')
    },
  },
  {
    name: 'an update of an object that is gone is stale, and the others go through',
    contract: 'Outcome stale: the hub observes it again, sees that it is absent, and plans anew.',
    per: 'resource',
    async run(rig) {
      const { id, update, stand } = await updatable(rig)
      const remove = need(stand.removeOurs, 'nothing of ours can be deleted at this vendor')
      const other = await make(rig, 2)
      const gone = await updateOf(rig, id, 'update-1', update.patch(1))
      const good = await updateOf(rig, other.id, 'update-2', update.patch(2))
      await remove(id)
      const [stale, fine] = await send(rig, gone, good)
      wantSame(stale, { kind: 'stale' }, 'An update of an object that is gone')
      applied(fine, 'The update beside it')
    },
  },
  {
    name: 'archiving is settled: again it answers the same, and of what is gone it is done',
    contract: 'Write.archive: repeated after a crash, it must not fail because the first attempt worked.',
    per: 'resource',
    async run(rig) {
      const made = await make(rig, 1)
      const archive = { op: 'archive', key: 'archive-1', id: made.id, version: null } as const
      const [first] = await send(rig, archive)
      pass(rig, 5000)
      const [second] = await send(rig, archive)
      want(
        first?.kind === 'applied' || first?.kind === 'rejected',
        `Archiving should be applied, or rejected with the reason, not ${short(first)}`,
      )
      wantSame(second?.kind, first.kind, 'Archiving again ends differently from the first time')
      const { stand } = pushOf(rig)
      if (stand.removeOurs === undefined) return
      const other = await make(rig, 2)
      await stand.removeOurs(other.id)
      const [gone] = await send(rig, { ...archive, key: 'archive-2', id: other.id })
      want(
        gone?.kind === 'applied' || gone?.kind === 'stale',
        `Archiving what is gone already should be applied or stale, not ${short(gone)}`,
      )
    },
  },
]

async function updatable(rig: Rig) {
  const { stand } = pushOf(rig)
  const update = need(stand.update, 'what was created cannot be updated')
  const { id } = await make(rig, 1)
  return { id, update, stand }
}

/** Every value of an object by its path, as JSON. */
function leaves(value: unknown, at = ''): Map<string, string> {
  const json = JSON.parse(JSON.stringify(value ?? null)) as Json
  if (!isObject(json)) return new Map([[at, JSON.stringify(json)]])
  const inner: JsonObject = json
  return new Map(
    Object.entries(inner).flatMap(([key, child]) => [...leaves(child, at === '' ? key : `${at}.${key}`)]),
  )
}
