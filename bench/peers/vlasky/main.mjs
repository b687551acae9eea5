// Reads a binlog from its first file with @vlasky/zongji and counts the rows:
// main.mjs HOST PORT USER PASSWORD ROWS.
import ZongJi from '@vlasky/zongji';
import count from '../zongji.js';
count(ZongJi);
