//! LuciHub.
