import type { Hub } from '../../../runtime/hub.ts'
import { plural } from '../../output.ts'
import { customerWithoutMail, repAt, timelineAt, verdictsOn } from '../letters.ts'
import { NotSo, type Scene } from '../scene.ts'
import type { World } from '../world.ts'

/** Words that stand nowhere else. */
const PRIVATE = ['The flat by the canal', 'Osterhagen']
const NEWS = ['Ten quiet gardens of Valdemarsund']
/** Gmail tells of one change a second and mailbox; what comes sooner waits for the next poll. */
const GMAIL_GAP_MS = 1_100

/** What a rep calls private, and a newsletter, stay out; the reason is told, and nothing of them is kept. */
export async function keptOut(world: World, scene: Scene): Promise<void> {
  const { vendors, hub } = world
  const customer = await customerWithoutMail(world)
  const [reader, colleague] = [repAt(world, 'gmail', 1), repAt(world, 'outlook', 1)]
  let arrivedAt = 0
  let letter = ''
  await scene.step(async () => {
    const [subject = '', name = ''] = PRIVATE
    letter = await vendors.mail.write({
      from: { address: customer.email, name: customer.name },
      to: [reader.address],
      subject,
      text: `Hello ${reader.name},\n\nthe rent would be 1,840 a month, and Mr ${name} needs your answer by Friday.`,
      at: Date.now(),
    })
    arrivedAt = performance.now()
    await scene.until('it is logged', () => verdictsOn(world, letter), isOnly(`${reader.address}: logged`))
    scene.same('The subjects on the timeline', await subjectsOf(world, customer.id), [subject])
    if ((await tablesWith(hub, PRIVATE)).length === 0)
      throw new NotSo('The letter is not found in the database.')
    return `${customer.name} writes to ${reader.name} (Gmail) about a flat. Nothing speaks against it, so it is logged.`
  })
  let news = ''
  await scene.step(async () => {
    const [subject = ''] = NEWS
    const domain = customer.email.split('@')[1] ?? ''
    news = await vendors.mail.mailing(`news@${domain}`, colleague.address, subject)
    await scene.until(
      'it is kept out',
      () => verdictsOn(world, news),
      isOnly(`${colleague.address}: filtered bulk`),
    )
    return `A newsletter comes in to ${colleague.name} (Outlook): kept out before anything of it is stored. concord explain message ${news}:`
  })
  scene.quote(await explained(world, news, 'kept out as bulk'))
  await scene.step(async () => {
    await scene.until(
      'Gmail tells of changes again',
      () => performance.now() - arrivedAt,
      (ms) => ms > GMAIL_GAP_MS,
    )
    vendors.mail.label(reader.address, letter, 'Private')
    await scene.until(
      'it is taken out',
      () => verdictsOn(world, letter),
      isOnly(`${reader.address}: filtered private`),
    )
    scene.same('The subjects on the timeline', await subjectsOf(world, customer.id), [])
    return `${reader.name} labels the letter “Private”: it is taken off the timeline. concord explain message ${letter}:`
  })
  scene.quote(await explained(world, letter, 'kept out as private'))
  await scene.step(async () => {
    scene.same('The tables with words of the two', await tablesWith(hub, [...PRIVATE, ...NEWS]), [])
    const kept = [vendors.mail.mailboxesWith(letter), vendors.mail.mailboxesWith(news)]
    scene.same('The mailboxes that have the two', kept, [[reader.address], [colleague.address]])
    return `Every table of the database was searched (${plural((await tables(hub)).length, 'table')}): not a word of either is in it. In their mailboxes both are as they were.`
  })
}

const isOnly = (verdict: string) => (seen: readonly string[]) => seen.join() === verdict

async function subjectsOf(world: World, contact: number): Promise<readonly (string | null)[]> {
  return (await timelineAt(world, `contacts/${contact}`)).map(({ subject }) => subject)
}

async function explained({ programs }: World, messageId: string, reason: string): Promise<string> {
  const { code, output } = await programs.run('explain', 'message', messageId)
  if (code !== 0 || !output.includes(reason))
    throw new NotSo(`concord explain should say “${reason}”; it ended with ${code}: ${output.trim()}`)
  return output
}

type Table = { readonly schema: string; readonly name: string }

/** All of them, those of the job queue too. */
const tables = ({ db }: Hub): Promise<readonly Table[]> => db.sql<Table[]>`
  select table_schema as schema, table_name as name from information_schema.tables
  where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE' order by 1, 2`

/** Tables with a row in which one of these stands, wherever in it. */
async function tablesWith(hub: Hub, words: readonly string[]): Promise<readonly string[]> {
  const patterns = words.map((word) => `%${word}%`)
  const found: string[] = []
  for (const { schema, name } of await tables(hub)) {
    const [row] = await hub.db.sql<{ there: boolean }[]>`
      select exists (
        select 1 from ${hub.db.sql(schema)}.${hub.db.sql(name)} as t where t::text ilike any(${patterns})
      ) as there`
    if (row?.there === true) found.push(`${schema}.${name}`)
  }
  return found
}
