/** `node dist/search.js index|query|info`: embeds collections with a trained model, and queries them. */
import { main } from '../main.ts';
import { searchProgram } from '../search.ts';

await main(searchProgram());
