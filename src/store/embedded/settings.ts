const ALWAYS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  lc_messages: 'C',
  // The hub's queries are short and many: compiling and parallel plans cost more than they give.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  random_page_cost: '1.1',
  work_mem: '16MB',
}

const DURABLE: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '128MB',
  maintenance_work_mem: '128MB',
  checkpoint_timeout: '15min',
  max_wal_size: '1GB',
  wal_compression: 'pglz',
}

/** For tests only: a power cut may destroy the data. */
const FORGETFUL: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  checkpoint_timeout: '1h',
  max_wal_size: '256MB',
  io_method: 'sync',
}

/** Arguments of `postgres` for a hub on one machine. */
export function serverArguments(pgdata: string, port: number, durable: boolean): string[] {
  const settings = { ...ALWAYS, ...(durable ? DURABLE : FORGETFUL), port: String(port) }
  return ['-D', pgdata, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
