import path from 'node:path'
import { boot, type Booted } from '../../runtime/boot.ts'
import { startWorkers, type Workers } from '../../runtime/jobs.ts'
import { EXIT } from '../exit.ts'
import { number, plural } from '../output.ts'
import { connect, GMAIL_PER_MINUTE, quickened, STRIPE_PER_SECOND, subscribe } from './connect.ts'
import { runFirstSync, showPlan, type ProgressHolder } from './first-sync.ts'
import { freshPlace, occupy } from './place.ts'
import { openPrograms } from './programs.ts'
import { Interrupted, NotSo } from './scene.ts'
import { openStage, seconds, type Stage } from './stage.ts'
import { playStories } from './stories.ts'
import { stayUp } from './stay-up.ts'
import type { DemoOptions, DemoWiring, Vendors } from './wiring.ts'
import type { World } from './world.ts'

export type { DemoOptions, DemoWiring } from './wiring.ts'

/** How long the end waits for commands of others on the demo's database. */
const OTHERS_MS = 2_000

/** Plays the demo; resolves to the exit code: 1 where a story did not come true. */
export async function runDemo(wiring: DemoWiring, options: DemoOptions): Promise<number> {
  const stage = openStage(wiring.terminal)
  const closers: (() => Promise<unknown>)[] = []
  try {
    return await play(wiring, options, stage, closers)
  } catch (error) {
    if (error instanceof Interrupted || wiring.stopping.aborted) return EXIT.stopped
    if (!(error instanceof NotSo)) throw error
    stage.failed(error.message)
    return EXIT.failed
  } finally {
    for (const close of closers.toReversed()) await close()
    if (wiring.stopping.aborted) {
      stage.say()
      stage.say('Stopped: the workers, the vendors and the database are down.')
    }
  }
}

async function play(
  wiring: DemoWiring,
  options: DemoOptions,
  stage: Stage,
  closers: (() => Promise<unknown>)[],
): Promise<number> {
  const from = performance.now()
  const dir = await freshPlace(wiring)
  const vendors = await openVendors(wiring, options, dir, stage)
  closers.push(() => vendors.close())

  const progress: ProgressHolder = { show: () => undefined }
  const connectors = quickened(wiring.connectors)
  const booted = await openHub(wiring, connectors, dir, stage, progress)
  closers.push(() => booted.close(OTHERS_MS))
  const { hub } = booted
  const served = await serveHub(wiring, booted, options.port)
  closers.push(() => served.close())
  await occupy(dir, served.url)
  await connect(hub, connectors, vendors, served.url, stage)

  const plan = await showPlan(hub, stage)
  await runFirstSync(hub, stage, wiring, progress, { plan, mails: vendors.company.mails })

  const workers = openWorkers(booted)
  closers.push(() => workers.stop())
  const programs = openPrograms(wiring, dir)
  closers.push(() => programs.close())
  await workers.start()
  await subscribe(hub, connectors, served.url)

  const world: World = { booted, hub, vendors, api: served.url, programs, workers, used: new Set() }
  const failed = await playStories(world, stage, wiring.stopping)
  stage.say()
  stage.say(
    `${failed === 0 ? 'All stories came true' : `${failed} of the stories did not come true`}, in ${seconds(performance.now() - from)} from an empty folder. ${turnedAway(vendors)}`,
  )
  stage.say()
  stage.say(
    'What else there is to look at: `concord inbox` (what waits for a person), `concord quality` (how good the data is), `concord explain contact WHO` (why a record is as it is).',
  )
  if (!options.once) await stayUp(world, stage, wiring.stopping)
  return failed === 0 ? EXIT.ok : EXIT.failed
}

async function openVendors(
  wiring: DemoWiring,
  { contacts, seed = 1 }: DemoOptions,
  dir: string,
  stage: Stage,
): Promise<Vendors> {
  const from = performance.now()
  const stripe = { requestsPerSecond: STRIPE_PER_SECOND }
  const gmail = { messagesPerMinute: GMAIL_PER_MINUTE }
  const vendors = await wiring.openVendors({
    contacts,
    seed,
    folder: path.join(dir, 'exports'),
    stripe,
    gmail,
  })
  const { company } = vendors
  const [rows = 0] = company.rows
  stage.output.line(stage.output.paint.bold('Concord demo'))
  stage.say(
    `A made-up company: ${number(company.people)} people, ${number(company.companies)} companies, ${number(company.deals)} deals. Mailchimp knows ${number(company.members)} of the people, Stripe ${number(company.customers)}, the exports of an old CRM ${number(rows)}. Its ${vendors.mail.reps.length} sales people have ${number(company.mails)} mails of the last year, at Gmail and in Outlook. Nothing leaves this machine: the four vendors are stand-ins on loopback. (Two are quicker than the real ones: Stripe's takes ${STRIPE_PER_SECOND} requests a second, where Stripe takes 25; Gmail's hands out ${number(GMAIL_PER_MINUTE)} mails a minute and mailbox, where Gmail hands out 300.)`,
  )
  stage.heading('Start')
  stage.done('Four vendors answer over HTTP, mailboxes and exports are filled', performance.now() - from)
  return vendors
}

async function openHub(
  wiring: DemoWiring,
  connectors: DemoWiring['connectors'],
  dir: string,
  stage: Stage,
  progress: ProgressHolder,
): Promise<Booted> {
  const from = performance.now()
  const booted = await boot({
    environment: { dir, databaseUrl: null, secretKeys: null },
    connectors,
    shipped: wiring.shipped,
    log: wiring.makeLog(wiring.env['LOG_LEVEL']?.trim() || 'silent'),
    stopping: wiring.stopping,
    progress: (event) => progress.show(event),
  })
  stage.done('PostgreSQL runs from node_modules, its tables are made', performance.now() - from)
  return booted
}

/** How many requests came too fast for a vendor; the hub keeps to their limits by itself. */
function turnedAway({ mailchimp, stripe, gmail, outlook }: Vendors): string {
  const refused = [
    ['Mailchimp', mailchimp.refused()],
    ['Stripe', stripe.refused()],
    ['Gmail', gmail.refused()],
    ['Outlook', outlook.refused()],
  ] as const
  const told = refused.flatMap(([name, count]) =>
    count === 0 ? [] : [`${name} ${plural(count, 'request')}`],
  )
  return told.length === 0
    ? 'No vendor turned a request away for coming too fast.'
    : `Turned away for coming too fast: ${told.join(', ')}.`
}

/** At the port that is asked for; where that is taken, at a free one: a demo should just start. */
async function serveHub(wiring: DemoWiring, booted: Booted, port: number) {
  const host = '127.0.0.1'
  try {
    return await wiring.serveHttp(booted, { host, port })
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null
    const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    if (!isTaken) throw error
    return wiring.serveHttp(booted, { host, port: 0 })
  }
}

function openWorkers({ hub }: Booted): World['workers'] {
  let running: Workers | null = null
  return {
    async start() {
      if (!hub.stopping.aborted) running ??= await startWorkers(hub)
    },
    async stop() {
      const stopped = running
      running = null
      await stopped?.stop()
    },
  }
}
