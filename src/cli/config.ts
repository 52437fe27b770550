import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Configuration } from '../core/stream.ts'
import { compile, ConfigError, readConfigFolder, type OpenStore } from '../runtime/boot.ts'
import {
  activeVersion,
  applyVersion,
  configChanges,
  exportFiles,
  formatProblem,
  type ConfigFiles,
  type FileChange,
} from '../runtime/configure.ts'
import { adoptShapes } from '../runtime/approval.ts'
import { foreseeMerged, type MergedForeseen } from '../runtime/merge/review.ts'
import { foresee, touchesNothing, type Foreseen } from '../runtime/plan/foresee.ts'
import { previewReview, type ReviewCount } from '../runtime/mail/review.ts'
import { openHub } from '../runtime/open.ts'
import { confirmed } from './connections.ts'
import { bootOptions, withStore, type Context } from './context.ts'
import { changedLines } from './diff.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { showReview } from './mail-review.ts'
import { plural } from './output.ts'
import { showMerged, showTouched, touchedJson } from './touched.ts'

/** The folder named, or ./config, or what ships with Concord. */
function folderOf({ wiring }: Context, folder: string | undefined): string {
  return folder ?? (existsSync('config') ? 'config' : wiring.shipped)
}

async function read(folder: string): Promise<ConfigFiles> {
  const files = await readConfigFolder(folder)
  if (Object.keys(files).length === 0)
    throw badInput(
      `There is no configuration in ${folder}`,
      'Name a folder with .yaml files; `concord config export DIR` makes one.',
    )
  return files
}

export async function checkConfig(context: Context, given: string | undefined): Promise<ExitCode> {
  const { output, wiring } = context
  const folder = folderOf(context, given)
  const files = await read(folder)
  try {
    const { connections } = compile(files, wiring.connectors)
    const streams = connections.reduce((sum, c) => sum + c.streams.length, 0)
    if (output.json) output.value({ folder, ok: true, problems: [] })
    else
      output.line(
        `${folder} is right: ${plural(Object.keys(files).length, 'file')}, ${plural(connections.length, 'connection')}, ${plural(streams, 'stream')}.`,
      )
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    tellProblems(context, folder, error)
    return EXIT.input
  }
}

function tellProblems({ output }: Context, folder: string, { problems }: ConfigError): void {
  if (output.json) {
    output.value({ folder, ok: false, problems })
    return
  }
  for (const problem of problems)
    output.line(formatProblem({ ...problem, file: path.join(folder, problem.file) }))
  output.line(`${plural(problems.length, 'problem')} in ${folder}.`)
}

export async function applyConfiguration(
  context: Context,
  given: string | undefined,
  { yes, approve }: { readonly yes?: boolean; readonly approve?: boolean },
): Promise<ExitCode> {
  const { output, wiring } = context
  const folder = folderOf(context, given)
  const files = await read(folder)
  let configuration: Configuration
  try {
    configuration = compile(files, wiring.connectors)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    tellProblems(context, folder, error)
    return EXIT.input
  }
  return withStore(context, async (store) => {
    const active = await activeVersion(store)
    const basedOn = active?.version ?? 0
    const changes = configChanges(active?.files ?? {}, files)
    if (changes.length === 0) {
      if (output.json) output.value({ version: basedOn, applied: false, changes: [] })
      else output.line(`${folder} is what version ${basedOn} says already. Nothing to apply.`)
      return EXIT.ok
    }
    if (!output.json) for (const change of changes) showChange(context, change)
    const mail = active === undefined ? [] : await reviewed(context, store, active.files, configuration)
    if (!output.json && showReview(output, mail)) output.line()
    const { touched, merged } =
      active === undefined ? UNSEEN : await foreseen(context, store, active.files, configuration)
    const isAsked = configuration.approvals === 'ask'
    const free = touched.filter(
      (one) => !isAsked || touchesNothing(one) || (approve === true && one.wasApproved),
    )
    const waits = touched.filter((one) => !free.includes(one)).map((one) => one.stream)
    if (!output.json) showTouched(output, touched, isAsked, waits)
    if (!output.json) showMerged(output, merged)
    const summary = changes.map(({ file, kind }) => ({ file, kind }))
    const told = { changes: summary, mail, touched: touched.map(touchedJson), merged, waits }
    // No plan covers them: what is shown here is all that anybody sees before they are written.
    if (isAsked && merged.records > 0 && approve !== true) {
      if (output.json) output.value({ version: basedOn, applied: false, ...told })
      else
        output.line(
          `Nothing was applied: \`concord config apply ${folder} --approve\` lets this be written to the merged records, and from there to the systems.`,
        )
      return EXIT.waiting
    }
    await confirmed(context, `Apply this over version ${basedOn}?`, yes)
    const at = wiring.clock?.now() ?? Date.now()
    const applied = await applyVersion(
      store,
      wiring.connectors,
      basedOn,
      files,
      context.actor,
      at,
      isAsked ? free : [],
    )
    if (applied === undefined)
      throw failure(
        `Somebody applied another version after version ${basedOn}; nothing was applied`,
        'Run the command again: it shows the difference to the new one.',
      )
    if (output.json) output.value({ version: applied.version, applied: true, ...told })
    else {
      output.line(`Version ${applied.version} is active.`)
      if (mail.length > 0)
        output.line('What its rules change for mail that was read before is done at the next passes.')
      if (waits.length > 0)
        output.line(
          `${waits.join(', ')} ${waits.length === 1 ? 'writes' : 'write'} nothing before a plan is approved: \`concord plan ${[...new Set(waits.map((label) => label.split('/')[0]))].join(' ')}\`.`,
        )
      output.line('A running `concord start` or `concord worker` takes it up by itself.')
    }
    return waits.length > 0 ? EXIT.waiting : EXIT.ok
  })
}

type Seen = { readonly touched: readonly Foreseen[]; readonly merged: MergedForeseen }
const UNSEEN: Seen = { touched: [], merged: { records: 0, samples: [] } }

/** What a new configuration makes of records that are in agreement, and of merged ones; nothing where the active one does not load. */
async function foreseen(
  context: Context,
  store: OpenStore,
  active: ConfigFiles,
  after: Configuration,
): Promise<Seen> {
  const { output, wiring } = context
  try {
    const configuration = compile(active, wiring.connectors)
    const { db, vault } = store
    const hub = await openHub({ ...bootOptions(context), db, vault, configuration })
    await adoptShapes(hub)
    return { touched: await foresee(hub, after), merged: await foreseeMerged(hub, after) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    output.note('The active version does not load any more, so what this does to records is not counted.')
    return UNSEEN
  }
}

/** What changed rules of mail come to, counted over what is stored; nothing where no rule changed. */
async function reviewed(
  context: Context,
  store: OpenStore,
  active: ConfigFiles,
  after: Configuration,
): Promise<readonly ReviewCount[]> {
  const { output, wiring } = context
  const mails = ({ connections }: Configuration) =>
    JSON.stringify(
      connections.map(({ name, mail }) => [name, mail] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    )
  try {
    const before = compile(active, wiring.connectors)
    if (mails(before) === mails(after)) return []
    const { db, vault } = store
    return await previewReview(
      await openHub({ ...bootOptions(context), db, vault, configuration: before }),
      after,
    )
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    output.note('The active version does not load any more, so what this does to stored mail is not counted.')
    return []
  }
}

function showChange({ output }: Context, { file, kind, before, after }: FileChange): void {
  const { paint } = output
  output.line(paint.bold(`${file} (${kind})`))
  if (kind === 'removed')
    output.line(paint.red(`  - all ${plural(before.trimEnd().split('\n').length, 'line')}`))
  else
    for (const { sign, text } of changedLines(before, after)) {
      const line = `  ${sign} ${text}`.trimEnd()
      output.line(sign === '+' ? paint.green(line) : sign === '-' ? paint.red(line) : paint.dim(line))
    }
  output.line()
}

export async function exportConfiguration(
  context: Context,
  folder: string,
  { force }: { readonly force?: boolean },
): Promise<ExitCode> {
  return withStore(context, async (store) => {
    const { output, wiring } = context
    const active = await activeVersion(store)
    // A hub that was never started runs, when it is, on what ships.
    const files = active?.files ?? (await readConfigFolder(wiring.shipped))
    const { written, inTheWay } = await exportFiles(files, folder, force === true)
    if (inTheWay.length > 0)
      throw badInput(
        `${folder} already has ${inTheWay.join(', ')}`,
        'Name an empty folder, or say --force to overwrite.',
      )
    if (output.json) output.value({ version: active?.version ?? 0, folder, files: written })
    else {
      output.line(
        `Version ${active?.version ?? 'that ships'} is in ${folder}: ${written.toSorted().join(', ')}.`,
      )
      output.line(`Edit it, then \`concord config apply ${folder}\`.`)
    }
    return EXIT.ok
  })
}
