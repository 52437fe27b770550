import type { RecordId } from '../../core/model.ts'
import { isErased, patternsOf } from '../../core/privacy.ts'
import { PARTS, type Asked } from '../../store/export-person.ts'
import { membersUnder, survivorsOf } from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import type { Hub } from '../hub.ts'
import { iso } from '../hub.ts'
import { addressHash } from '../mail/judge.ts'
import { recognise } from './traces.ts'

const PAGE = 200

/**
 * Everything that is kept about a person, with everybody merged with them, as the text of one JSON object: a description
 * and the rows of each part. It comes in pieces, so that no part is ever held whole. Null where there is no such contact,
 * or nothing is left of it.
 */
export async function exportPerson(hub: Hub, id: RecordId): Promise<AsyncGenerator<string> | null> {
  const q = hub.db.sql
  const root = (await survivorsOf(q, [id])).get(id) ?? id
  const record = (await loadRecords(q, 'contact', [root])).get(root)
  if (record === undefined || isErased(record)) return null
  const records = await membersUnder(q, root)
  const { traces } = await recognise(q, records)
  const addresses = traces.emails
  const { emails, strong } = patternsOf(traces)
  const named = `(?:${emails})|(?:${strong})`
  const hash = await hub.mailHash()
  return pieces(hub, { records, addresses, named, hashes: addresses.map((one) => addressHash(hash, one)) })
}

async function* pieces(hub: Hub, asked: Asked): AsyncGenerator<string> {
  const head = { exportedAt: iso(hub.clock.now()), contacts: asked.records, addresses: asked.addresses }
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "parts": [`
  for (const [i, part] of PARTS.entries()) {
    yield `${i === 0 ? '' : ','}\n    {\n      "name": ${JSON.stringify(part.name)},\n      "about": ${JSON.stringify(part.about)},\n      "rows": [`
    let count = 0
    for (let after: string | undefined = part.begin; after !== undefined; ) {
      const page = await part.page(hub.db.sql, asked, after, PAGE)
      yield page.map(({ row }) => `${count++ === 0 ? '' : ','}\n        ${row}`).join('')
      // Some parts are looked through whole for each page: none is asked for in vain.
      after = page.length < PAGE ? undefined : page.at(-1)?.n
    }
    yield count === 0 ? ']\n    }' : '\n      ]\n    }'
  }
  yield '\n  ]\n}\n'
}
