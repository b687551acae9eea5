// Reads a binlog from its first file with go-mysql and counts the rows: main HOST PORT USER PASSWORD ROWS.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

type counts struct{ inserted, updated, deleted int }

func (c *counts) add(event *replication.BinlogEvent) {
	switch body := event.Event.(type) {
	case *replication.RowsEvent:
		switch body.Type() {
		case replication.EnumRowsEventTypeInsert:
			c.inserted += len(body.Rows)
		case replication.EnumRowsEventTypeUpdate:
			c.updated += len(body.Rows) / 2
		case replication.EnumRowsEventTypeDelete:
			c.deleted += len(body.Rows)
		}
	case *replication.TransactionPayloadEvent:
		for _, inner := range body.Events {
			c.add(inner)
		}
	}
}

func main() {
	port, _ := strconv.Atoi(os.Args[2])
	wanted, _ := strconv.Atoi(os.Args[5])
	flavor := os.Getenv("PEER_SERVER") // "mariadb" or "mysql", as go-mysql calls them
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 4101, Flavor: flavor,
		Host: os.Args[1], Port: uint16(port), User: os.Args[3], Password: os.Args[4],
	})
	defer syncer.Close()
	begin := time.Now()
	streamer, err := syncer.StartSync(mysql.Position{Name: "bin.000001", Pos: 4})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var c counts
	for c.inserted+c.updated+c.deleted < wanted {
		event, err := streamer.GetEvent(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		c.add(event)
	}
	fmt.Printf("{\"inserted\":%d,\"updated\":%d,\"deleted\":%d,\"seconds\":%.3f}\n",
		c.inserted, c.updated, c.deleted, time.Since(begin).Seconds())
}
