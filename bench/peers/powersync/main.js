// Reads a binlog from its first file with @powersync/mysql-zongji and counts the rows:
// main.js HOST PORT USER PASSWORD ROWS.
const ZongJi = require('@powersync/mysql-zongji');
require('../zongji.js')(ZongJi);
