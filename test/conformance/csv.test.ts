import { csvBench } from './csv.bench.ts'
import { conformance } from './suite.ts'

conformance(csvBench)
