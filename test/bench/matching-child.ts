// One measurement in a process of its own: `matching-child.ts <url> <contacts> <lookups>`. Says its result in one line of JSON.
import { bornRecord, birth } from '../../src/runtime/change.ts'
import { applyChanges } from '../../src/runtime/changes.ts'
import { likelyDuplicates } from '../../src/runtime/matching/likely.ts'
import { countLikelyPairs } from '../../src/runtime/matching/list.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { keepHeapSmall } from '../../src/runtime/memory.ts'
import { newRecordIds } from '../../src/store/records.ts'
import { percentile } from './aims.ts'
import { openBenchHub } from './hub.ts'
import { people, type Made } from './matching-people.ts'

const PAGE = 500

const [url = '', contacts = '', lookups = ''] = process.argv.slice(2)
// As `boot` does for the command.
keepHeapSmall()
const { hub, close } = await openBenchHub(url, {})
try {
  const write = async (page: readonly Made[]): Promise<void> =>
    hub.session.begin(async (tx) => {
      const ids = await newRecordIds(tx, page.length)
      const origin = { source: 'bench', at: hub.clock.now(), rule: 'created' }
      const births = page.flatMap((fields, i) => {
        const id = ids[i]
        return id === undefined ? [] : [birth(bornRecord(id, 'contact', fields, origin))]
      })
      await applyChanges(hub, tx, 'contact', births, null, 'bench')
    })
  let page: Made[] = []
  for (const one of people(Number(contacts), 1)) {
    page.push(one)
    if (page.length < PAGE) continue
    await write(page)
    page = []
  }
  if (page.length > 0) await write(page)

  const startedAt = performance.now()
  await matchWaiting(hub)
  const seconds = (performance.now() - startedAt) / 1000
  const pairs = await countLikelyPairs(hub, 'contact')

  // Half of them are there, half are met for the first time.
  const strangers = [...people(Number(lookups), 2)]
  const known = [...people(Number(lookups), 1)]
  const asked = strangers.map((one, i) => (i % 2 === 0 ? one : (known[i] ?? one)))
  for (const one of asked.slice(0, 200)) await likelyDuplicates(hub, 'contact', one)
  const times: number[] = []
  for (const one of asked) {
    const at = performance.now()
    await likelyDuplicates(hub, 'contact', one)
    times.push(performance.now() - at)
  }
  // Kilobytes, the most there ever was: https://nodejs.org/api/process.html#processresourceusage
  const rssMb = process.resourceUsage().maxRSS / 1024
  const result = {
    seconds,
    rssMb,
    pairs,
    lookupP50Ms: percentile(times, 0.5),
    lookupP99Ms: percentile(times, 0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await close()
}
