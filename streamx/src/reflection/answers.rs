//! What is answered to which question, as grpc-go answers it.

use std::collections::HashSet;
use std::sync::Arc;

use super::files::Files;
use super::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse, MessageRequest,
    MessageResponse, ServerReflection, ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};
use crate::{Bidi, Code, Error, Result};

/// The most bytes of names in a question, because the answer repeats them.
const LONGEST_QUESTION: usize = 4096;

/// The service.
pub(super) struct Answers(pub(super) Arc<Files>);

impl ServerReflection for Answers {
    async fn server_reflection_info(
        &self,
        mut stream: Bidi<ServerReflectionRequest, ServerReflectionResponse>,
    ) -> Result<()> {
        let mut sent = HashSet::new();
        while let Some(request) = stream.recv().await? {
            let response = answer(&self.0, question(&request)?, &mut sent);
            let response = ServerReflectionResponse {
                valid_host: request.host.clone(),
                original_request: Some(request),
                message_response: Some(response),
            };
            stream.send(response).await?;
        }
        Ok(())
    }
}

/// What is asked. Fails for what is no question.
fn question(request: &ServerReflectionRequest) -> Result<&MessageRequest> {
    let invalid = |text: String| Error::new(Code::InvalidArgument, text);
    let Some(question) = &request.message_request else {
        return Err(invalid("the request asks for nothing that this server knows".into()));
    };
    let name = match question {
        MessageRequest::FileByFilename(name)
        | MessageRequest::FileContainingSymbol(name)
        | MessageRequest::AllExtensionNumbersOfType(name)
        | MessageRequest::ListServices(name) => name,
        MessageRequest::FileContainingExtension(extension) => &extension.containing_type,
    };
    if request.host.len() + name.len() > LONGEST_QUESTION {
        return Err(invalid(format!("the names in a request have at most {LONGEST_QUESTION} bytes")));
    }
    Ok(question)
}

/// The answer, on a stream that has seen the files `sent`.
fn answer(files: &Files, question: &MessageRequest, sent: &mut HashSet<usize>) -> MessageResponse {
    match question {
        MessageRequest::FileByFilename(name) => match files.by_name(name) {
            Some(file) => file_response(files, file, sent),
            None => not_found("there is no file of this name"),
        },
        MessageRequest::FileContainingSymbol(symbol) => match files.by_symbol(symbol) {
            Some(file) => file_response(files, file, sent),
            None => not_found(files.reason(symbol).unwrap_or("nothing has this name")),
        },
        MessageRequest::AllExtensionNumbersOfType(message) if files.by_symbol(message).is_some() => {
            let numbers =
                ExtensionNumberResponse { base_type_name: message.clone(), extension_number: Vec::new() };
            MessageResponse::AllExtensionNumbersResponse(numbers)
        }
        MessageRequest::AllExtensionNumbersOfType(_) => not_found("nothing has this name"),
        MessageRequest::FileContainingExtension(_) => not_found("there are no extensions"),
        MessageRequest::ListServices(_) => {
            let service =
                files.services().iter().map(|name| ServiceResponse { name: name.clone() }).collect();
            MessageResponse::ListServicesResponse(ListServiceResponse { service })
        }
    }
}

/// The file, and those it imports that were not sent.
fn file_response(files: &Files, file: usize, sent: &mut HashSet<usize>) -> MessageResponse {
    sent.insert(file);
    let mut response = vec![files.bytes(file)];
    let mut importing = vec![file];
    while let Some(file) = importing.pop() {
        for import in files.imports(file).filter(|&import| sent.insert(import)) {
            response.push(files.bytes(import));
            importing.push(import);
        }
    }
    MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto: response })
}

fn not_found(why: &str) -> MessageResponse {
    let response = ErrorResponse { error_code: Code::NotFound as i32, error_message: why.to_owned() };
    MessageResponse::ErrorResponse(response)
}
