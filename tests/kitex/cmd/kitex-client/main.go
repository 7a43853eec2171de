// kitex-client [-unary framed|buffered|ttheader-framed|ttheader|grpc|grpc-protobuf] [-peer kitex|streamx] [-pool mux|long|short] [-last ADDR]
// [-last-peer kitex|streamx] ADDR CASE... runs cases against a server of Interop.
//
// A CASE is a name, a group (unary, streaming, attended, chained, bounded) or all, which is every unary and streaming case. A chained
// case needs the last server, which is the next one of the server. Each prints
// "ok CASE" or "FAIL CASE: why". An attended case prints "waiting kill" or "waiting restart" and goes on when a line on stdin
// says that it was done. "kitex-client list" prints the names with their groups. KITEX_LOG=1 lets Kitex log to stderr.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"github.com/cloudwego/kitex/pkg/klog"

	"streamxkitex/cases"
)

func main() {
	unary := flag.String("unary", "framed", "protocol of unary calls: framed, buffered, ttheader-framed or ttheader (without an inner length); or grpc or grpc-protobuf, for streams too")
	peer := flag.String("peer", "kitex", "what the server is: kitex or streamx")
	last := flag.String("last", "", "address of the server behind the server")
	lastPeer := flag.String("last-peer", "kitex", "what that one is: kitex or streamx")
	pool := flag.String("pool", "mux", "which connections streams have: mux (one), long or short")
	flag.Parse()
	if flag.NArg() == 1 && flag.Arg(0) == "list" {
		list()
		return
	}
	if flag.NArg() < 2 || !slices.Contains(cases.Protocols, *unary) || (*peer != "kitex" && *peer != "streamx") ||
		(*pool != "mux" && *pool != "long" && *pool != "short") {
		log.Fatal("usage: kitex-client [-unary framed|buffered|ttheader-framed|ttheader|grpc|grpc-protobuf] [-peer kitex|streamx] [-pool mux|long|short] ADDR CASE...")
	}
	if os.Getenv("KITEX_LOG") != "1" {
		klog.SetOutput(io.Discard)
	}
	var behind *cases.Peer
	if *last != "" {
		behind = &cases.Peer{
			Addr:     *last,
			Protocol: *unary,
			Streamx:  *lastPeer == "streamx",
			Client:   cases.NewClient(cases.Caller, *last, *unary),
		}
	}
	stdin := bufio.NewReader(os.Stdin)
	server := &cases.Peer{
		Addr:     flag.Arg(0),
		Protocol: *unary,
		Streamx:  *peer == "streamx",
		Client:   cases.NewClient(cases.Caller, flag.Arg(0), *unary, cases.Pool(*pool)...),
		Last:     behind,
		Ask: func(what string) error {
			fmt.Println("waiting", what)
			_, err := stdin.ReadString('\n')
			return err
		},
	}
	failed := false
	for _, name := range flag.Args()[1:] {
		if name == "hold" {
			log.Fatal(cases.Hold(server, func() { fmt.Println("holding") }))
		}
		chosen := choose(name)
		if len(chosen) == 0 {
			log.Fatalf("no case %q", name)
		}
		for _, c := range chosen {
			if c.Skips(server) {
				continue
			}
			if err := c.Run(server); err != nil {
				fmt.Printf("FAIL %s: %v\n", c.Name, err)
				failed = true
			} else {
				fmt.Println("ok", c.Name)
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

func choose(name string) (chosen []cases.Case) {
	for _, c := range cases.All() {
		if name == c.Name || name == c.Group || (name == "all" && (c.Group == "unary" || c.Group == "streaming")) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func list() {
	for _, c := range cases.All() {
		fmt.Println(c.Group, c.Name)
	}
}
