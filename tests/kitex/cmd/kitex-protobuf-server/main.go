// kitex-protobuf-server ADDR serves Interop with messages in protobuf, which is over gRPC, as service.Serve says.
package main

import (
	"log"
	"os"

	"github.com/cloudwego/kitex/server"

	"streamxkitex/protobuf"
	"streamxkitex/service"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: kitex-protobuf-server ADDR")
	}
	service.Serve(os.Args[1], func(options ...server.Option) server.Server {
		return protobuf.NewServer(service.New(nil), options...)
	})
}
