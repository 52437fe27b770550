import { VendorError } from '../../../src/connectors/connector.ts'
import { answering, push, rewritten, shown, tick, withPush, type Sabotages } from './wreck.ts'

export const WRECKED_WRITING: Sabotages = [
  [
    'an outcome that is what was sent',
    'a create makes one object, and answers it as a later read shows it',
    () =>
      answering((outcome, write) =>
        outcome.kind === 'applied' && outcome.observation.kind === 'present' && write?.op === 'create'
          ? { kind: 'applied', observation: { ...outcome.observation, body: write.body } }
          : outcome,
      ),
  ],
  [
    'a key of its own for every attempt',
    'a create sent twice with its key makes one object, also by another process',
    () => rewritten((write) => ({ ...write, key: tick() })),
  ],
  [
    'a find that gives what it has, in any order',
    'creates are found again by what they were for, and only those',
    () =>
      withPush({
        find: async (io, creates) =>
          (await push.find(io, creates)).toSorted((a, b) => (a?.id ?? '').localeCompare(b?.id ?? '')),
      }),
  ],
  [
    'outcomes as they come',
    'outcomes come in the order of the writes',
    () => withPush({ send: async (io, writes) => (await push.send(io, writes)).toReversed() }),
  ],
  [
    'creates before updates',
    'outcomes of a mixed batch belong to their writes',
    () =>
      withPush({
        send: (io, writes) =>
          push.send(
            io,
            writes.toSorted((a, b) => Number(b.op === 'create') - Number(a.op === 'create')),
          ),
      }),
  ],
  [
    'a bad write that is thrown',
    'one bad write in a batch fails alone, by the name of the field',
    () =>
      withPush({
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          const bad = outcomes.find(({ kind }) => kind === 'rejected')
          if (bad?.kind === 'rejected') throw new VendorError(bad)
          return outcomes
        },
      }),
  ],
  [
    'a refusal that names no field',
    'one bad write in a batch fails alone, by the name of the field',
    () => answering((outcome) => (outcome.kind === 'rejected' ? { ...outcome, field: null } : outcome)),
  ],
  [
    'a batch that is refused whole',
    'a bad write does not turn a whole large batch bad',
    () =>
      withPush({
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          const bad = outcomes.find(({ kind }) => kind === 'rejected')
          return bad === undefined ? outcomes : outcomes.map(() => bad)
        },
      }),
  ],
  [
    'an answer with a field that reads do not have',
    'our own write, pulled again, is what the write answered',
    () =>
      answering((outcome) =>
        outcome.kind === 'applied'
          ? {
              kind: 'applied',
              observation: shown((body) => ({ ...body, warnings: [] }))(outcome.observation),
            }
          : outcome,
      ),
  ],
  [
    'an update that counts',
    'an update sent twice leaves the same version',
    () =>
      rewritten((write) =>
        write.op === 'update' ? { ...write, patch: { ...write.patch, revision: tick() } } : write,
      ),
  ],
  [
    'an update that resets what it does not know',
    'an update touches only the fields of its patch',
    () =>
      rewritten((write) =>
        write.op === 'update' ? { ...write, patch: { theirs: null, ...write.patch } } : write,
      ),
  ],
  [
    'a null that is left out',
    'a null in a patch clears the field',
    () =>
      rewritten((write) =>
        write.op === 'update'
          ? {
              ...write,
              patch: Object.fromEntries(Object.entries(write.patch).filter(([, value]) => value !== null)),
            }
          : write,
      ),
  ],
  [
    'the whole object sent back as it was',
    'an edit made at the same time elsewhere in the object survives an update',
    () =>
      rewritten((write) =>
        write.op === 'update'
          ? { ...write, version: null, patch: { note: write.observed['note'] ?? null, ...write.patch } }
          : write,
      ),
  ],
  [
    'a version that is ignored',
    'an update with an old version is stale and changes nothing',
    () => rewritten((write) => (write.op === 'update' ? { ...write, version: null } : write)),
  ],
  [
    'a gone object taken for a refusal',
    'an update of an object that is gone is stale, and the others go through',
    () =>
      answering((outcome) =>
        outcome.kind === 'stale' ? { kind: 'rejected', code: '404', field: null, message: 'gone' } : outcome,
      ),
  ],
  [
    'archiving that works once',
    'archiving is settled: again it answers the same, and of what is gone it is done',
    () => {
      const done = new Set<string>()
      return answering((outcome, write) => {
        if (write?.op !== 'archive' || !done.has(write.id))
          return write?.op === 'archive' ? (done.add(write.id), outcome) : outcome
        return { kind: 'rejected', code: '409', field: null, message: 'It is archived already.' }
      })
    },
  ],
]
