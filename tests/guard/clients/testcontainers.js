// A container of Testcontainers', from its start to its end.
//
//     node testcontainers.js container ADDRESS

'use strict';

const assert = require('node:assert');

const [session, address] = process.argv.slice(2);
process.env.DOCKER_HOST = address;
// Its reaper is a container with the socket of the daemon, which no guard lets through.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

const { GenericContainer, Network, Wait } = require('testcontainers');

async function container() {
  const network = await new Network().start();
  const started = await new GenericContainer('busy:1')
    .withCommand(['sh', '-c', 'echo ready; exec sleep 1000'])
    .withEnvironment({ COLOUR: 'blue' })
    .withLabels({ session: 'testcontainers' })
    .withNetwork(network)
    .withNetworkAliases('front')
    .withTmpFs({ '/scratch': 'rw' })
    .withCopyContentToContainer([{ content: 'text', target: '/file' }])
    .withWaitStrategy(Wait.forLogMessage('ready'))
    .start();
  const { output, exitCode } = await started.exec(['sh', '-c', 'echo $COLOUR; cat /file']);
  assert.deepStrictEqual([output, exitCode], ['blue\ntext', 0]);
  await started.stop({ timeout: 0 });
  await network.stop();
}

({ container })[session]().then(
  () => console.log(`testcontainers ${require('testcontainers/package.json').version}: ${session} as expected`),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
