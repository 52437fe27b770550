import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/store/schema.ts',
    './src/store/schema-sync.ts',
    './src/store/schema-mail.ts',
    './src/store/schema-trust.ts',
  ],
  out: './migrations',
})
