// A day of a team with dockerode, behind its proxy, beside a team `theirs-js`.
//
//     session.js day ADDRESS

'use strict';

const assert = require('node:assert');
const Docker = require('dockerode');

const LABEL = 'com.example.team';

async function main(docker) {
  await ownLife(docker);
  await othersAreNotThere(docker);
  await listsAreOnesOwn(docker);
  console.log('day as expected');
}

async function ownLife(docker) {
  const network = await docker.createNetwork({ Name: 'js-net' });
  await docker.createVolume({ Name: 'js-vol' });
  const container = await docker.createContainer({
    name: 'js-web',
    Image: 'busy:1',
    Cmd: ['sh', '-c', 'echo hello; exec sleep 1000'],
    StopSignal: 'KILL',
    HostConfig: { NetworkMode: 'js-net', Binds: ['js-vol:/data'] },
  });
  await container.start();
  assert.equal((await container.inspect()).Config.Labels[LABEL], 'ours-js');
  const exec = await container.exec({ Cmd: ['echo', 'inside'], AttachStdout: true });
  assert.ok((await textOf(await exec.start({ hijack: true }))).includes('inside\n'));
  assert.equal((await exec.inspect()).ExitCode, 0);
  const logs = await container.logs({ stdout: true });
  assert.ok(logs.toString().includes('hello\n'));
  assert.ok((await textOf(await container.getArchive({ path: '/bin/sh' }))).length > 0);
  await container.rename({ name: 'js-renamed' });
  await container.restart({ t: 0 });
  await container.stop({ t: 0 });
  assert.equal((await container.wait()).StatusCode, 137);
  await container.remove();
  await network.remove();
  await docker.getVolume('js-vol').remove();
}

async function othersAreNotThere(docker) {
  const theirs = docker.getContainer('theirs-js-web');
  const missing = /No such container: theirs-js-web/;
  await assert.rejects(theirs.inspect(), missing);
  await assert.rejects(theirs.stop(), missing);
  await assert.rejects(theirs.logs({ stdout: true }), missing);
  await assert.rejects(theirs.exec({ Cmd: ['true'] }), missing);
  await assert.rejects(theirs.attach({ stream: true, stdout: true }), /404|No such container/);
  await assert.rejects(theirs.remove({ force: true }), missing);
  await assert.rejects(docker.getNetwork('theirs-js-net').inspect(), /network theirs-js-net not found/);
  await assert.rejects(docker.getVolume('theirs-js-vol').remove(), /get theirs-js-vol: no such volume/);
  await assert.rejects(
    docker.createContainer({ Image: 'busy:1', HostConfig: { VolumesFrom: ['theirs-js-web'] } }),
    missing,
  );
}

async function listsAreOnesOwn(docker) {
  assert.deepEqual(await docker.listContainers({ all: true }), []);
  const filters = { label: [`${LABEL}=theirs-js`] };
  assert.deepEqual(await docker.listContainers({ all: true, filters }), []);
  assert.deepEqual(await docker.listNetworks(), []);
  assert.deepEqual((await docker.listVolumes()).Volumes, []);
}

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

main(new Docker({ socketPath: process.argv[3].replace('unix://', '') })).catch((error) => {
  console.error(error);
  process.exit(1);
});
