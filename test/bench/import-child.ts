// One measurement in a process of its own: `import-child.ts <import|sweep|values|unnest> <url> <folder> <warmUrl> <warmFolder>`.
// Says its result in one line of JSON. A small run on another database comes first, so that no figure holds the time
// the JavaScript engine takes to compile.
import { csv } from '../../src/connectors/csv/index.ts'
import { targetsOf } from '../../src/runtime/hub.ts'
import { keepHeapSmall } from '../../src/runtime/memory.ts'
import { observeStream } from '../../src/runtime/observe.ts'
import { isFloor, plainUpsert } from './floor.ts'
import { openBenchHub } from './hub.ts'

const YAML = `
connection: csv
connector: csv
settings: { idColumn: id }
streams:
  contacts:
    record: contact
    direction: in
    match: [email, phone]
    times: untrusted
    consent:
      channel: email
      audience: marketing
      address: email
      state: { path: unsubscribed, values: { "true": out }, missing: unknown }
      sends: []
    fields:
      - { hub: emails, remote: email, codec: email }
      - { hub: givenName, remote: first_name }
      - { hub: familyName, remote: last_name }
      - { hub: phones, remote: phone, codec: phone }
      - { hub: jobTitle, remote: job_title }
      - { hub: companyName, remote: company }
      - hub: address
        remote: { line1: street, city: city, postalCode: postal_code, country: country }
`

async function sync(url: string, folder: string, mode: 'changes' | 'sweep'): Promise<number> {
  const connection = { connector: csv, yaml: YAML, settings: { folder }, secrets: {} }
  const { hub, close } = await openBenchHub(url, { csv: connection })
  try {
    const [target] = targetsOf(hub, 'csv')
    if (target === undefined) throw new Error('the stream of contacts is missing')
    const startedAt = performance.now()
    // As a pass does. That it then compares who is new with the others is measured by itself: see matching.ts.
    await observeStream(hub, target, mode)
    return (performance.now() - startedAt) / 1000
  } finally {
    await close()
  }
}

const [what, url = '', folder = '', warmUrl = '', warmFolder = ''] = process.argv.slice(2)
const run = (of: string, at: string) =>
  isFloor(what) ? plainUpsert(what, of, at) : sync(of, at, what === 'sweep' ? 'sweep' : 'changes')
// As `boot` does for the command.
keepHeapSmall()
if (warmUrl !== '') await run(warmUrl, warmFolder)
const seconds = await run(url, folder)
// Kilobytes, the most there ever was: https://nodejs.org/api/process.html#processresourceusage
const rssMb = process.resourceUsage().maxRSS / 1024
process.stdout.write(`${JSON.stringify({ seconds, rssMb })}\n`)
