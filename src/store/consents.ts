import type { Statement } from '../core/consent.ts'
import { rows, type Query } from './database.ts'

/** Appends statements; a repeated one (same source, state and time) is not written twice. */
export async function appendStatements(
  q: Query,
  statements: readonly Statement[],
  run: number | null,
): Promise<void> {
  if (statements.length === 0) return
  await q`
    insert into consents (address, channel, audience, state, at, explicit, source, reason, run_id)
    select address, channel, audience, state, to_timestamp(at / 1000.0), explicit, source, reason, ${run}
    from jsonb_to_recordset(${rows(statements)}::text::jsonb) as r(address text, channel text, audience text, state text,
      at bigint, explicit boolean, source text, reason text)
    where not exists (
      select from consents c where c.address = r.address and c.channel = r.channel and c.audience = r.audience
        and c.source = r.source and c.state = r.state and c.at = to_timestamp(r.at / 1000.0))`
}

/** Every statement about the addresses on a channel. */
export async function statementsAbout(
  q: Query,
  channel: string,
  addresses: readonly string[],
): Promise<readonly Statement[]> {
  if (addresses.length === 0) return []
  return q<Statement[]>`
    select address, channel, audience, state, at, explicit, source, reason from consents
    where channel = ${channel} and address = any(${[...addresses]}) order by at, id`
}

/** A page of what a run's opt-ins are about. */
export async function runOptIns(
  q: Query,
  run: number,
  after: number,
  limit: number,
): Promise<readonly { readonly id: number; readonly address: string; readonly audience: string }[]> {
  return q<{ id: number; address: string; audience: string }[]>`
    select id, address, audience from consents
    where run_id = ${run} and state = 'in' and id > ${after} order by id limit ${limit}`
}

/** Every statement about the addresses on a channel, each with whether this run brought it. */
export async function statementsBeside(
  q: Query,
  channel: string,
  addresses: readonly string[],
  run: number,
): Promise<readonly (Statement & { readonly brought: boolean })[]> {
  if (addresses.length === 0) return []
  return q<(Statement & { brought: boolean })[]>`
    select address, channel, audience, state, at, explicit, source, reason, run_id is not distinct from ${run}::bigint as brought
    from consents where channel = ${channel} and address = any(${[...addresses]}) order by at, id`
}
