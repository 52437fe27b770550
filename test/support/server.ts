import postgres from 'postgres'

/** Statements about databases, which need a connection to the server and none to the database. */
export async function onServer(url: string, ...statements: readonly string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    for (const statement of statements) await sql.unsafe(statement)
  } finally {
    await sql.end()
  }
}

export function databaseUrl(url: string, name: string): string {
  const own = new URL(url)
  own.pathname = name
  return own.href
}

type Server = { readonly url: string; readonly template: string }

/** Copies the migrated template. */
export const copyTemplate = ({ url, template }: Server, name: string): Promise<void> =>
  onServer(url, `create database ${name} template ${template} strategy file_copy`)

export const dropDatabase = (url: string, name: string): Promise<void> =>
  onServer(url, `drop database if exists ${name} with (force)`)
