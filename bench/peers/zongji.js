// What the two forks of ZongJi have in common: counts rows until all have come.
module.exports = (ZongJi) => {
  const [host, port, user, password, rows] = process.argv.slice(2);
  const counts = { writerows: 0, updaterows: 0, deleterows: 0 };
  const begin = process.hrtime.bigint();
  const zongji = new ZongJi({ host, port: Number(port), user, password });
  zongji.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  zongji.on('binlog', (event) => {
    const name = event.getEventName();
    if (!(name in counts)) {
      return;
    }
    counts[name] += event.rows.length;
    const { writerows: inserted, updaterows: updated, deleterows: deleted } = counts;
    if (inserted + updated + deleted >= Number(rows)) {
      const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
      console.log(JSON.stringify({ inserted, updated, deleted, seconds }));
      process.exit(0);
    }
  });
  zongji.start({
    serverId: 4104,
    filename: 'bin.000001',
    position: 4,
    includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
  });
};
