import { examine, reencrypt } from '../runtime/doctor.ts'
import { addApiToken, apiTokens, removeApiToken } from '../runtime/tokens.ts'
import { bootOptions, environmentOf, withStore, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { iso, plural, when } from './output.ts'

export async function doctor(context: Context): Promise<ExitCode> {
  const { output } = context
  const { paint } = output
  const findings = await examine(bootOptions(context))
  const failed = findings.filter((f) => f.result === 'fail').length
  if (output.json) output.value(findings)
  else {
    const marks = { ok: paint.green('ok  '), warn: paint.yellow('warn'), fail: paint.red('fail') }
    for (const { check, result, message, fix } of findings) {
      output.line(`${marks[result]}  ${check}: ${message}`)
      if (fix !== null) output.line(`      Fix: ${fix}`)
    }
    output.line()
    output.line(failed === 0 ? 'Nothing stands in the way.' : `${plural(failed, 'check')} failed.`)
  }
  return failed === 0 ? EXIT.ok : EXIT.failed
}

export async function migrateDatabase(context: Context): Promise<ExitCode> {
  // Opening the store brings the database up to date.
  return withStore(context, async ({ db }) => {
    const { output } = context
    const [row] = await db.sql<
      { count: number }[]
    >`select count(*) as count from drizzle.__drizzle_migrations`
    const migrations = row?.count ?? 0
    if (output.json) output.value({ migrations, upToDate: true })
    else output.line(`The database is up to date: ${plural(migrations, 'migration')} applied.`)
    return EXIT.ok
  })
}

export async function rotate(context: Context): Promise<ExitCode> {
  return withStore(context, async (store) => {
    const { output } = context
    const count = await reencrypt(store)
    if (output.json) {
      output.value({ rotated: count, keys: store.keys })
      return EXIT.ok
    }
    if (count > 0)
      output.line(
        `${plural(count, 'credential')} encrypted anew with the first key. The other keys are not needed any more.`,
      )
    else if (store.keys > 1)
      output.line('Everything is under the first key already. The other keys are not needed any more.')
    else {
      for (const line of howToRotate(context)) output.line(line)
    }
    return EXIT.ok
  })
}

function howToRotate({ wiring }: Context): readonly string[] {
  const { dir, secretKeys } = environmentOf(wiring)
  const beside = secretKeys === null
  const old = beside ? `$(cat ${dir}/secret.key)` : '$CONCORD_SECRET_KEY'
  return [
    'Everything is under the one key there is. To change it, give the new key first and the old one after it:',
    '  (umask 077; openssl rand -base64 32 > new.key)',
    `  CONCORD_SECRET_KEY="$(cat new.key),${old}" concord secrets rotate`,
    beside
      ? `  mv new.key ${dir}/secret.key`
      : '  and from then on set CONCORD_SECRET_KEY to what new.key holds.',
  ]
}

export async function addToken(context: Context, name: string): Promise<ExitCode> {
  if (!/^[\w .@-]{1,80}$/.test(name))
    throw badInput(`"${name}" is no name for a token`, 'Use up to 80 letters, digits, spaces and . _ @ -')
  return withStore(context, async ({ db }) => {
    const made = await addApiToken(db.sql, name)
    if (made === undefined)
      throw badInput(
        `A token is called ${name} already`,
        `Choose another name, or \`concord tokens remove "${name}"\`.`,
      )
    if (context.output.json) context.output.value({ name, token: made.token })
    else {
      context.output.line(made.token)
      context.output.note('This is the only time it is shown. Send it as `Authorization: Bearer <token>`.')
    }
    return EXIT.ok
  })
}

export async function listTokens(context: Context): Promise<ExitCode> {
  return withStore(context, async ({ db }) => {
    const { output } = context
    const tokens = await apiTokens(db.sql)
    if (output.json) output.value(tokens.map(({ name, createdAt }) => ({ name, createdAt: iso(createdAt) })))
    else if (tokens.length === 0) output.line('No token yet: `concord tokens add NAME` makes one.')
    else
      output.table(
        ['name', 'made'],
        tokens.map(({ name, createdAt }) => [name, when(createdAt)]),
      )
    return EXIT.ok
  })
}

export async function removeToken(context: Context, name: string): Promise<ExitCode> {
  return withStore(context, async ({ db }) => {
    if (!(await removeApiToken(db.sql, name)))
      throw badInput(`No token is called ${name}`, '`concord tokens list` shows them.')
    if (context.output.json) context.output.value({ name, removed: true })
    else context.output.line(`The token ${name} does not work any more.`)
    return EXIT.ok
  })
}
