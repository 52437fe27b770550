import { once } from 'node:events'
import type { Stage } from './stage.ts'
import type { World } from './world.ts'

/** Tells what is up and how to look at it; resolves at Ctrl-C. */
export async function stayUp(world: World, stage: Stage, stopping: AbortSignal): Promise<void> {
  const { vendors, api, programs, hub } = world
  const { paint, line } = stage.output
  const [someone] = await hub.db.sql<{ email: string }[]>`
    select email from contacts where email_consent = 'out' and email is not null order by updated_at desc limit 1`
  const [writer] = await hub.db.sql<{ email: string }[]>`
    select email from contacts where email is not null order by last_replied_at desc nulls last, id limit 1`
  stage.heading('Everything stays up until Ctrl-C')
  const places: [string, string][] = [
    ['the hub', api],
    ['Mailchimp', vendors.mailchimp.url],
    ['Stripe', vendors.stripe.url],
    ['Gmail', vendors.gmail.url],
    ['Outlook', vendors.outlook.url],
    ['CSV exports', vendors.folder],
  ]
  for (const [name, where] of places) line(`  ${paint.dim(name.padEnd(12))} ${where}`)
  stage.say()
  stage.say('Look at it from a second terminal in this folder:')
  stage.say()
  const commands = [
    'status',
    'mail status',
    'inbox',
    'quality',
    'runs',
    `explain contact ${someone?.email ?? '1'}`,
    `timeline contact ${writer?.email ?? '1'}`,
  ]
  for (const command of commands) line(`  ${programs.prefix} ${command}`)
  stage.say()
  stage.say('Edit a file of the exports and sync it by hand:')
  stage.say()
  line(`  ${programs.prefix} sync csv`)
  if (!stopping.aborted) await once(stopping, 'abort')
  line()
}
