//! What kinds of nodes mean to the engine.

/// What a kind of node means to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// Nothing in particular.
    #[default]
    Other,
    /// The whole file.
    Root,
    /// A list of statements or members: each child is one.
    Block,
    /// A function or method with a name of its own.
    Function,
    /// A function without a name of its own.
    Lambda,
    /// A class, or what stands for one.
    Class,
    /// Holds one definition and adds to it (decorators, `export`).
    Wrapper,
    /// Runs its body only if a condition holds.
    Branch,
    /// Runs its body again and again.
    Loop,
    /// Runs its body, whatever comes; its head tells nothing.
    Try,
    /// Runs its body around a resource.
    With,
    /// One arm of a branch whose statements stand in it without a block.
    Case,
    /// The value or pattern of a [`Role::Case`].
    Label,
    /// Leaves the function, the loop or the program.
    Jump,
    /// Calls something.
    Call,
    /// Reads an element.
    Element,
    /// Says more about the definition that follows.
    Decorator,
    /// Brings names from elsewhere.
    Import,
    /// For people.
    Comment,
    /// A name.
    Name,
    /// A name of a type.
    TypeName,
    /// A name of a member of the object itself (`@x`).
    OwnName,
    /// A literal name (`:x`).
    Symbol,
    /// A literal text.
    Text,
    /// May take the address of a variable (`&x`).
    Address,
}

impl Role {
    /// Whether it can be called.
    pub(crate) fn is_function(self) -> bool {
        matches!(self, Self::Function | Self::Lambda)
    }

    /// Whether it holds statements behind a head.
    pub(crate) fn is_compound(self) -> bool {
        matches!(self, Self::Branch | Self::Loop | Self::Try | Self::With | Self::Case)
    }
}
