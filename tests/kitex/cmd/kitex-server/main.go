// kitex-server ADDR [NEXT] serves Interop with the defaults of a Kitex server, until its stdin closes or SIGTERM.
// With NEXT, the address of another server, it can stand in the middle of a chain; then it calls itself "kitex-server".
// It prints "listening IP:PORT" on stdout. KITEX_LOG=1 lets Kitex log to stderr.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"

	"streamxkitex/cases"
	rpc "streamxkitex/gen/interop/interop"
	"streamxkitex/service"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatal("usage: kitex-server ADDR [NEXT]")
	}
	if os.Getenv("KITEX_LOG") != "1" {
		klog.SetOutput(io.Discard)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var next rpc.Client
	if len(os.Args) == 3 {
		next = cases.NewClient("kitex-server", os.Args[2], "framed")
	}
	kitex := rpc.NewServer(service.New(next),
		server.WithListener(listener),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "kitex-server"}),
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler),
		server.WithExitWaitTime(time.Second),
	)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("listening", listener.Addr())
	if err := kitex.Run(); err != nil {
		log.Fatal("server ended: ", err)
	}
}
