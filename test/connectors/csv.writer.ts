import type { Io } from '../../src/connectors/connector.ts'
import { csv } from '../../src/connectors/csv/index.ts'

/** A process of its own that sends batches of 1,000 creates until it is killed. Argument: the connection's settings. */
const io: Io = {
  fetch,
  now: () => Date.now(),
  secrets: {},
  settings: JSON.parse(process.argv[2] ?? '{}'),
  as: () => io,
  token: async () => '',
}

for (let batch = 0; batch < 1_000; batch++) {
  const writes = Array.from({ length: 1_000 }, (_, i) => ({
    op: 'create' as const,
    key: `key-${batch}-${i}`,
    recordId: batch * 1_000 + i,
    body: { email: `person${i}@x.org`, note: `batch ${batch}\nof many` },
    consent: 'unknown' as const,
  }))
  await csv.resources['contacts']?.push?.send(io, writes)
}
