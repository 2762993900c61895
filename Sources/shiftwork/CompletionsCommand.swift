//! `completions`: what makes a shell complete this command. Knows no shell.

import ArgumentParser

struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print what makes a shell complete shiftwork's commands and options.",
    discussion: """
      bash: shiftwork completions bash > ~/.local/share/bash-completion/completions/shiftwork
      zsh: shiftwork completions zsh > a folder of $fpath, as _shiftwork
      fish: shiftwork completions fish > ~/.config/fish/completions/shiftwork.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish

    var known: CompletionShell {
      switch self {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    }
  }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() { Console.out(Root.completionScript(for: shell.known)) }
}
