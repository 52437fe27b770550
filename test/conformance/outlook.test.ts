import { conformance } from './suite.ts'
import { outlookBench } from './outlook.bench.ts'

conformance(outlookBench)
