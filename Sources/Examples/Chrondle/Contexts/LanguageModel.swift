import Martlet

/// A service that completes chats, as OpenRouter does: `POST $OPENROUTER_URL/chat/completions`.
///
/// Of what fails, each part is dealt with where it is known how: a model that is busy (429) by the next one of the chain, here; everything else
/// that may pass by the retrier, which waits between attempts, at least as long as `Retry-After` says. So there is no loop over attempts here, and
/// no sleep. The key is a secret of the server's from when it is read: neither logs nor errors ever show it.
struct LanguageModel {
  /// In the order in which they are asked.
  static let models = ["openai/gpt-5", "openai/gpt-5-mini", "google/gemini-2.5-flash"]

  let url: String
  private let key: String

  init(_ environment: ActionEnvironment) throws {
    key = try environment.require("OPENROUTER_API_KEY")
    url = environment["OPENROUTER_URL"] ?? "https://openrouter.ai/api/v1"
  }

  struct Completion: Sendable {
    var model: String
    var text: String
  }

  func complete(_ prompt: String, in ctx: ActionContext) async throws -> Completion {
    var busy: HTTPStatusError?
    for model in Self.models {
      do {
        return Completion(model: model, text: try await ask(model, prompt, in: ctx))
      } catch let error as HTTPStatusError where error.status == 429 {
        ctx.log.warning("\(model) is busy")
        busy = error
      }
    }
    throw busy!
  }

  private func ask(_ model: String, _ prompt: String, in ctx: ActionContext) async throws -> String {
    let response = try await ctx.fetch(
      "\(url)/chat/completions", headers: ["authorization": "Bearer \(key)"],
      json: ["model": .string(model), "messages": [["role": "user", "content": .string(prompt)]], "max_tokens": 600], timeout: .seconds(60))
    let answer: Answer
    do { answer = try response.requireSuccess().decode() } catch let error as HTTPStatusError { throw error } catch {
      throw Failure("\(model) answered with something else than a completion: \(error)")
    }
    let text = answer.choices.first?.message.content ?? ""
    guard !text.allSatisfy(\.isWhitespace) else { throw Failure("\(model) answered with nothing") }
    return text
  }

  /// Another attempt may get a better answer.
  struct Failure: RetryDecision, CustomStringConvertible {
    let description: String
    var isRetryable: Bool { true }

    init(_ description: String) { self.description = description }
  }

  private struct Answer: Decodable {
    var choices: [Choice]

    struct Choice: Decodable { var message: Message }
    struct Message: Decodable { var content: String? }
  }
}
