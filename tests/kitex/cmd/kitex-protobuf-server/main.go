// kitex-protobuf-server ADDR [NEXT] serves Interop with messages in protobuf, which is over gRPC, as service.Serve says.
// With NEXT, the address of another such server, it can stand in the middle of a chain; then it calls itself "kitex-server".
package main

import (
	"log"
	"os"

	"github.com/cloudwego/kitex/server"

	"streamxkitex/cases"
	rpc "streamxkitex/gen/interop/interop"
	"streamxkitex/protobuf"
	"streamxkitex/service"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatal("usage: kitex-protobuf-server ADDR [NEXT]")
	}
	var next rpc.Client
	if len(os.Args) == 3 {
		next = cases.NewClient(service.Name, os.Args[2], cases.InProtobuf)
	}
	service.Serve(os.Args[1], func(options ...server.Option) server.Server {
		return protobuf.NewServer(service.New(next), options...)
	})
}
