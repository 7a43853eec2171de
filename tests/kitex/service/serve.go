package service

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/server"
)

// Name is what a server of these tests calls itself.
const Name = "kitex-server"

// Serve runs a server until its stdin closes or SIGTERM, and prints "listening IP:PORT" on stdout. KITEX_LOG=1 lets Kitex
// log to stderr.
func Serve(addr string, newServer func(...server.Option) server.Server) {
	if os.Getenv("KITEX_LOG") != "1" {
		klog.SetOutput(io.Discard)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	kitex := newServer(
		server.WithListener(listener),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: Name}),
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
