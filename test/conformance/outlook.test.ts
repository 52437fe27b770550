import { mailConformance } from './mail-suite.ts'
import { outlookMailBench } from './outlook-mail.bench.ts'
import { outlookBench } from './outlook.bench.ts'
import { conformance } from './suite.ts'

conformance(outlookBench)
mailConformance(outlookMailBench)
