// A session of dockerode with an engine that allows everything, or one that refuses everything.
//
//     node session.js allowed ADDRESS
//     node session.js refused ADDRESS
'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtemp, rm, writeFile } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { PassThrough } = require('node:stream');
const { text, buffer } = require('node:stream/consumers');
const { setTimeout: sleep } = require('node:timers/promises');
const Docker = require('dockerode');

const IMAGE = 'busy:1';

async function allowed(docker) {
  assert.equal((await docker.ping()).toString(), 'OK');
  assert.equal((await docker.version()).ApiVersion, '1.41');
  assert.equal((await docker.info()).OSType, 'linux');
  assert.ok((await docker.listImages()).some((image) => image.RepoTags?.includes(IMAGE)));

  await listsAndInspects(docker);
  await runs(docker);
  await execs(docker);
  await attaches(docker);
  await followsLogs(docker);
  await copiesFiles(docker);
  await followsEvents(docker);
  await readsStats(docker);
  await builds(docker);
  await networksAndVolumes(docker);
}

async function listsAndInspects(docker) {
  const container = await docker.createContainer({ Image: IMAGE, name: 'js-list', Labels: { session: 'js' } });
  const listed = await docker.listContainers({ all: true, filters: { label: ['session=js'] } });
  assert.deepEqual(listed.map((found) => found.Id), [container.id]);
  await container.rename({ name: 'js-renamed' });
  assert.equal((await container.inspect()).Name, '/js-renamed');
  await container.remove();
  await assert.rejects(container.inspect(), { statusCode: 404, reason: 'no such container' });
}

async function runs(docker) {
  const out = new PassThrough();
  const err = new PassThrough();
  const printed = Promise.all([text(out), text(err)]);
  const script = 'echo out; echo err >&2; exit 7';
  const [result, container] = await docker.run(IMAGE, ['sh', '-c', script], [out, err], { Tty: false });
  out.end();
  err.end();
  assert.equal(result.StatusCode, 7);
  assert.deepEqual(await printed, ['out\n', 'err\n']);
  await container.remove();
}

async function execs(docker) {
  const container = await docker.createContainer({ Image: IMAGE, Cmd: ['sleep', '1000'] });
  await container.start();

  // Hijacked: all of the input, its end, and then the whole of the answer.
  const options = { Cmd: ['wc', '-c'], AttachStdin: true, AttachStdout: true };
  const counting = await container.exec(options);
  const duplex = await counting.start({ hijack: true, stdin: true });
  const counted = printed(docker, duplex);
  duplex.end(Buffer.alloc(300_000, 'x'));
  assert.equal(await counted, '300000\n');
  assert.equal((await counting.inspect()).ExitCode, 0);

  // Not hijacked: an answer like any other.
  const echoing = await container.exec({ Cmd: ['sh', '-c', 'echo 1; sleep 0.3; echo 2'], AttachStdout: true });
  assert.equal(await printed(docker, await echoing.start({})), '1\n2\n');
  await container.remove({ force: true });
}

async function attaches(docker) {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['sh', '-c', 'cat; echo end'],
    OpenStdin: true,
    StdinOnce: true,
  });
  const duplex = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
  const answer = printed(docker, duplex);
  await container.start();
  duplex.end('typed\n');
  assert.equal(await answer, 'typed\nend\n');
  assert.equal((await container.wait()).StatusCode, 0);
  await container.remove();
}

async function followsLogs(docker) {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['sh', '-c', 'echo one; read line; echo $line'],
    OpenStdin: true,
    Tty: true,
  });
  await container.start();
  const logs = await container.logs({ follow: true, stdout: true });
  const [first] = await once(logs, 'data');
  assert.equal(first.toString(), 'one\r\n');
  // The first line came while the container still waits for this one.
  const duplex = await container.attach({ stream: true, stdin: true, hijack: true });
  duplex.write('two\n');
  assert.match(await text(logs), /two\r\n$/);
  duplex.destroy();
  await container.remove();
}

async function copiesFiles(docker) {
  const built = await docker.createContainer({ Image: IMAGE });
  const archive = await buffer(await built.getArchive({ path: '/bin/busybox' }));
  await built.putArchive(archive, { path: '/tmp' });
  const copied = await buffer(await built.getArchive({ path: '/tmp/busybox' }));
  assert.deepEqual(copied, archive);
  await built.remove();
}

async function followsEvents(docker) {
  const events = await docker.getEvents({ filters: { label: ['session=js-events'] } });
  const seen = [];
  const destroyed = new Promise((resolve) => {
    events.on('data', (line) => {
      const event = JSON.parse(line);
      seen.push(event.Action);
      if (event.Action === 'destroy') resolve();
    });
  });
  const container = await docker.createContainer({ Image: IMAGE, Labels: { session: 'js-events' } });
  await container.remove();
  await Promise.race([destroyed, sleep(20_000, undefined, { ref: false })]);
  assert.deepEqual(seen, ['create', 'destroy']);
  events.destroy();
}

async function readsStats(docker) {
  const container = await docker.createContainer({ Image: IMAGE, Cmd: ['sleep', '1000'] });
  await container.start();
  assert.equal((await container.stats({ stream: false })).id, container.id);
  const stream = await container.stats({ stream: true });
  assert.equal(JSON.parse((await once(stream, 'data'))[0]).id, container.id);
  stream.destroy();
  assert.equal((await container.top()).Processes.length, 1);
  await container.kill();
  await container.remove();
}

async function builds(docker) {
  const context = await mkdtemp(join(tmpdir(), 'dockgate-build-'));
  await writeFile(join(context, 'Dockerfile'), `FROM ${IMAGE}\nRUN echo built > /built\n`);
  const options = { t: 'js-build:1', networkmode: 'none' };
  const stream = await docker.buildImage({ context, src: ['Dockerfile'] }, options);
  const steps = await new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
  });
  assert.ok(steps.some((step) => step.stream?.startsWith('Successfully built')));
  await docker.getImage('js-build:1').remove();
  await rm(context, { recursive: true });
}

async function networksAndVolumes(docker) {
  const network = await docker.createNetwork({ Name: 'js-net', Internal: true });
  assert.equal((await network.inspect()).Internal, true);
  await network.remove();
  await docker.createVolume({ Name: 'js-vol' });
  const { Volumes } = await docker.listVolumes({ filters: { name: ['js-vol'] } });
  assert.equal(Volumes.length, 1);
  await docker.getVolume('js-vol').remove();
}

async function refused(docker) {
  const calls = {
    'container-list': () => docker.listContainers(),
    'container-create': () => docker.createContainer({ Image: IMAGE }),
    'image-list': () => docker.listImages(),
    'system-events': () => docker.getEvents(),
    'exec-start': () => docker.getExec('0123').start({ hijack: true, stdin: true }),
  };
  for (const [operation, call] of Object.entries(calls)) {
    await assert.rejects(call(), (error) => {
      assert.equal(error.statusCode, 403);
      assert.match(error.message, /dockgate: /);
      assert.ok(error.message.includes(operation), `${operation}: ${error.message}`);
      return true;
    });
  }
}

// What a hijacked or plain stream of Docker's frames says on stdout, to its end.
async function printed(docker, stream) {
  const out = new PassThrough();
  const all = text(out);
  docker.modem.demuxStream(stream, out, out);
  await once(stream, 'end');
  out.end();
  return all;
}

function connected(address) {
  const { protocol, hostname, port, pathname } = new URL(address);
  if (protocol === 'unix:') return new Docker({ socketPath: pathname, timeout: 30_000 });
  return new Docker({ protocol: 'http', host: hostname, port, timeout: 30_000 });
}

const [session, address] = process.argv.slice(2);
({ allowed, refused })[session](connected(address)).then(
  () => {
    console.log(`dockerode ${require('dockerode/package.json').version}: ${session} as expected`);
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
