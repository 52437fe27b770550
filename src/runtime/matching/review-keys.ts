import { createHash } from 'node:crypto'
import { MATCHED_KINDS, type MatchedKind } from '../../core/duplicates.ts'
import { DEFAULT_MODELS } from '../../core/match/model.ts'
import { subjectOf } from '../../core/match/traits.ts'
import type { Fields } from '../../core/model.ts'
import { noteRules, rulesFingerprint } from '../../store/findings.ts'
import { keysOf, liveAfter, loadRecognised, queueMatching } from '../../store/matching.ts'
import { queueMatchStep } from '../../store/wake.ts'
import type { Hub } from '../hub.ts'
import { comparerWith, knownOf, type Comparer } from './comparer.ts'

const PAGE = 500

/**
 * Has records compared anew whose stored keys are not those that this Concord makes of them: who comes later would not
 * be found to be one with them. Looks only where it makes other keys of EXAMPLES than the one that looked last. Bounded
 * in memory; begun anew after a crash. Returns how many records were queued.
 */
export async function reviewKeys(hub: Hub): Promise<number> {
  const { q } = hub.session
  const fingerprint = keysFingerprint()
  if ((await rulesFingerprint(q, 'keys')) === fingerprint) return 0
  let queued = 0
  for (const kind of MATCHED_KINDS) {
    const comparer = shipped(kind)
    for (let after = 0; ; ) {
      if (hub.stopping.aborted) return queued
      const ids = await liveAfter(q, kind, after, PAGE)
      const last = ids.at(-1)
      if (last === undefined) break
      const known = knownOf(comparer, await loadRecognised(q, kind, ids))
      const stored = await keysOf(q, ids)
      const others = [...known.values()].filter(
        ({ id, prepared }) =>
          new Set(comparer.keys(prepared)).symmetricDifference(stored.get(id) ?? NONE).size > 0,
      )
      await queueMatching(
        q,
        kind,
        others.map(({ id }) => id),
      )
      queued += others.length
      after = last
    }
  }
  await noteRules(q, fingerprint, hub.clock.now(), 'keys')
  if (queued > 0) await queueMatchStep(q)
  return queued
}

const NONE: ReadonlySet<number> = new Set()
const shipped = (kind: MatchedKind): Comparer => comparerWith(kind, DEFAULT_MODELS[subjectOf(kind)])

function keysFingerprint(): string {
  const keys = MATCHED_KINDS.map((kind) => {
    const comparer = shipped(kind)
    return EXAMPLES[kind].map((fields) => comparer.keys(comparer.prepare(fields)))
  })
  return createHash('sha256').update(JSON.stringify(keys)).digest('hex')
}

const address = (line1: string, city: string, postalCode: string, line2: string | null = null): Fields => ({
  address: { line1, line2, city, region: null, postalCode, country: null },
})

/** Between them they have a key of every family, and what is hard about each. Another list is another fingerprint. */
export const EXAMPLES: Readonly<Record<MatchedKind, readonly Fields[]>> = {
  contact: [
    {
      givenName: 'Mary Ann',
      familyName: 'van der Berg',
      emails: ['Mary.Ann+news@Berg-Tools.co.uk', 'mary.ann.berg@gmail.com'],
      phones: ['+44 20 7946 0018', '(212) 555-0147'],
      companyName: 'The Berg Tools Company Ltd.',
      birthday: '1970-01-31',
      ...address('12a St. James Street', 'Newcastle upon Tyne', 'NE1 4AB', 'Flat 3'),
    },
    { givenName: 'Bob', familyName: "O'Brien-Smith", companyName: 'Müller & Söhne GmbH', birthday: '12-24' },
    { givenName: 'Lisa', familyName: 'Szczepańska', ...address('Hauptstraße 5', 'Köln', '50667') },
    { givenName: 'Юлия', familyName: 'Иванова', emails: ['yulia@пример.рф'] },
    { givenName: 'Phillip', familyName: 'Wright Jr.', ...address('Rua da Sé 7', 'São Paulo', '01001-000') },
    { givenName: 'J.', familyName: 'García Márquez', companyName: '3M', phones: ['0049 221 123456'] },
    { givenName: '美咲', familyName: '佐藤' },
    // At a small provider of mailboxes: another list of these makes other keys of firms.
    { givenName: 'Ada', familyName: 'Lovelace', emails: ['ada@posteo.de'] },
    // Whoever states as little as this has looser keys.
    { givenName: 'Aoife', familyName: 'Byrne', birthday: '1988-05-06', ...address('', 'Cork', '') },
  ],
  company: [
    {
      name: 'The Acme Tools & Services Group, Inc.',
      domains: ['www.acme-tools.com', 'gmail.com'],
      phones: ['+12125550100'],
      ...address('1 Long Acre', 'London', 'WC2E 9LH'),
    },
    { name: 'Société Générale S.A.', domains: ['https://societe-generale.fr/'] },
    { name: 'Bäckerei Groß GmbH & Co. KG', ...address('Am Markt 1', 'Göttingen', '37073') },
    { name: 'IBM' },
  ],
}
